using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DomainSsl.Core.Database.Migrations
{
    /// <inheritdoc />
    public partial class Transcripts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "Transcripts",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    RecordingId = table.Column<long>(type: "INTEGER", nullable: false),
                    State = table.Column<string>(type: "TEXT", nullable: false),
                    Version = table.Column<int>(type: "INTEGER", nullable: false),
                    Segments = table.Column<int>(type: "INTEGER", nullable: false),
                    Words = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Transcripts", x => x.Id);
                    table.ForeignKey(
                        name: "FK_Transcripts_Recordings_RecordingId",
                        column: x => x.RecordingId,
                        principalTable: "Recordings",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "SetAsideEdits",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    TranscriptId = table.Column<long>(type: "INTEGER", nullable: false),
                    By = table.Column<string>(type: "TEXT", nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ClientKey = table.Column<string>(type: "TEXT", nullable: false),
                    Edit = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_SetAsideEdits", x => x.Id);
                    table.ForeignKey(
                        name: "FK_SetAsideEdits_Transcripts_TranscriptId",
                        column: x => x.TranscriptId,
                        principalTable: "Transcripts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "TranscriptRows",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    TranscriptId = table.Column<long>(type: "INTEGER", nullable: false),
                    Uid = table.Column<string>(type: "TEXT", nullable: false),
                    From = table.Column<int>(type: "INTEGER", nullable: false),
                    To = table.Column<int>(type: "INTEGER", nullable: true),
                    Position = table.Column<double>(type: "REAL", nullable: false),
                    Speaker = table.Column<string>(type: "TEXT", nullable: true),
                    Start = table.Column<double>(type: "REAL", nullable: true),
                    End = table.Column<double>(type: "REAL", nullable: true),
                    Words = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_TranscriptRows", x => x.Id);
                    table.ForeignKey(
                        name: "FK_TranscriptRows_Transcripts_TranscriptId",
                        column: x => x.TranscriptId,
                        principalTable: "Transcripts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "TranscriptVersions",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    TranscriptId = table.Column<long>(type: "INTEGER", nullable: false),
                    Number = table.Column<int>(type: "INTEGER", nullable: false),
                    Deed = table.Column<string>(type: "TEXT", nullable: false),
                    Of = table.Column<int>(type: "INTEGER", nullable: true),
                    State = table.Column<string>(type: "TEXT", nullable: false),
                    By = table.Column<string>(type: "TEXT", nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Changed = table.Column<int>(type: "INTEGER", nullable: false),
                    ClientKey = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_TranscriptVersions", x => x.Id);
                    table.ForeignKey(
                        name: "FK_TranscriptVersions_Transcripts_TranscriptId",
                        column: x => x.TranscriptId,
                        principalTable: "Transcripts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_SetAsideEdits_ClientKey",
                table: "SetAsideEdits",
                column: "ClientKey",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_SetAsideEdits_TranscriptId",
                table: "SetAsideEdits",
                column: "TranscriptId");

            migrationBuilder.CreateIndex(
                name: "IX_TranscriptRows_TranscriptId_To_Position",
                table: "TranscriptRows",
                columns: new[] { "TranscriptId", "To", "Position" });

            migrationBuilder.CreateIndex(
                name: "IX_TranscriptRows_TranscriptId_Uid",
                table: "TranscriptRows",
                columns: new[] { "TranscriptId", "Uid" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_TranscriptVersions_ClientKey",
                table: "TranscriptVersions",
                column: "ClientKey",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_TranscriptVersions_TranscriptId_Number",
                table: "TranscriptVersions",
                columns: new[] { "TranscriptId", "Number" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Transcripts_RecordingId",
                table: "Transcripts",
                column: "RecordingId",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Transcripts_State",
                table: "Transcripts",
                column: "State");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "SetAsideEdits");

            migrationBuilder.DropTable(
                name: "TranscriptRows");

            migrationBuilder.DropTable(
                name: "TranscriptVersions");

            migrationBuilder.DropTable(
                name: "Transcripts");
        }
    }
}
