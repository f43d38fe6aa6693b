using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DomainSsl.Core.Database.Migrations
{
    /// <inheritdoc />
    public partial class Importing : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "StudyId",
                table: "Items",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "SourceAliases",
                columns: table => new
                {
                    SourceHash = table.Column<string>(type: "TEXT", nullable: false),
                    InstanceId = table.Column<long>(type: "INTEGER", nullable: true),
                    RecordingId = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_SourceAliases", x => x.SourceHash);
                    table.ForeignKey(
                        name: "FK_SourceAliases_Instances_InstanceId",
                        column: x => x.InstanceId,
                        principalTable: "Instances",
                        principalColumn: "Id");
                    table.ForeignKey(
                        name: "FK_SourceAliases_Recordings_RecordingId",
                        column: x => x.RecordingId,
                        principalTable: "Recordings",
                        principalColumn: "Id");
                });

            migrationBuilder.CreateIndex(
                name: "IX_Items_StudyId",
                table: "Items",
                column: "StudyId");

            migrationBuilder.CreateIndex(
                name: "IX_SourceAliases_InstanceId",
                table: "SourceAliases",
                column: "InstanceId");

            migrationBuilder.CreateIndex(
                name: "IX_SourceAliases_RecordingId",
                table: "SourceAliases",
                column: "RecordingId");

            migrationBuilder.AddForeignKey(
                name: "FK_Items_Studies_StudyId",
                table: "Items",
                column: "StudyId",
                principalTable: "Studies",
                principalColumn: "Id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "FK_Items_Studies_StudyId",
                table: "Items");

            migrationBuilder.DropTable(
                name: "SourceAliases");

            migrationBuilder.DropIndex(
                name: "IX_Items_StudyId",
                table: "Items");

            migrationBuilder.DropColumn(
                name: "StudyId",
                table: "Items");
        }
    }
}
