using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DomainSsl.Core.Database.Migrations
{
    /// <inheritdoc />
    public partial class GuessedTimes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "GuessedEnd",
                table: "TranscriptRows",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<bool>(
                name: "GuessedStart",
                table: "TranscriptRows",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            // Only tables bring a text in as accepted, and they have no times: where it became several passages without times of words, it was cut by its letters.
            migrationBuilder.Sql("""
                UPDATE "TranscriptRows" AS r SET
                    "GuessedStart" = EXISTS (SELECT 1 FROM "TranscriptRows" AS o WHERE o."TranscriptId" = r."TranscriptId" AND o."From" = r."From" AND o."Position" < r."Position"),
                    "GuessedEnd" = EXISTS (SELECT 1 FROM "TranscriptRows" AS o WHERE o."TranscriptId" = r."TranscriptId" AND o."From" = r."From" AND o."Position" > r."Position")
                WHERE EXISTS (SELECT 1 FROM "TranscriptVersions" AS v WHERE v."TranscriptId" = r."TranscriptId" AND v."Number" = r."From" AND v."Deed" = 'BroughtIn' AND v."State" = 'Accepted')
                    AND NOT EXISTS (SELECT 1 FROM json_each(r."Words") AS w WHERE json_extract(w.value, '$[1]') IS NOT NULL);
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // Not by DropColumn, which makes the table anew, without its triggers.
            migrationBuilder.Sql("""ALTER TABLE "TranscriptRows" DROP COLUMN "GuessedEnd"; ALTER TABLE "TranscriptRows" DROP COLUMN "GuessedStart";""");
        }
    }
}
