using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DomainSsl.Core.Database.Migrations
{
    /// <inheritdoc />
    public partial class SoundIntake : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "ChannelUse",
                table: "Recordings",
                type: "TEXT",
                nullable: false,
                defaultValue: "Mean");

            migrationBuilder.AddColumn<double>(
                name: "ClippedShare",
                table: "Recordings",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "DcOffset",
                table: "Recordings",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "PeakDb",
                table: "Recordings",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "RmsDb",
                table: "Recordings",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "SilentShare",
                table: "Recordings",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "SnrDb",
                table: "Recordings",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "SpectrogramBlobHash",
                table: "Recordings",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "StoredChannels",
                table: "Recordings",
                type: "INTEGER",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.CreateTable(
                name: "Segments",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    RecordingId = table.Column<long>(type: "INTEGER", nullable: false),
                    Channel = table.Column<int>(type: "INTEGER", nullable: false),
                    Start = table.Column<double>(type: "REAL", nullable: false),
                    End = table.Column<double>(type: "REAL", nullable: false),
                    Probability = table.Column<float>(type: "REAL", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Segments", x => x.Id);
                    table.ForeignKey(
                        name: "FK_Segments_Recordings_RecordingId",
                        column: x => x.RecordingId,
                        principalTable: "Recordings",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Segments_RecordingId_Start",
                table: "Segments",
                columns: new[] { "RecordingId", "Start" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Segments");

            migrationBuilder.DropColumn(
                name: "ChannelUse",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "ClippedShare",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "DcOffset",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "PeakDb",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "RmsDb",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "SilentShare",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "SnrDb",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "SpectrogramBlobHash",
                table: "Recordings");

            migrationBuilder.DropColumn(
                name: "StoredChannels",
                table: "Recordings");
        }
    }
}
