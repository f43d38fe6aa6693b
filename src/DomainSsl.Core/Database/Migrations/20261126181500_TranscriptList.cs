using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DomainSsl.Core.Database.Migrations
{
    /// <inheritdoc />
    public partial class TranscriptList : Migration
    {
        // A passage's words without times and confidences.
        private const string Words = """(SELECT group_concat(json_extract(w.value, '$[0]'), ' ') FROM json_each({0}."Words") AS w)""";

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "Doubtful",
                table: "Transcripts",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            // As TranscriptWord has it: below these a word is to be checked by ear, or by sense.
            migrationBuilder.Sql("""
                UPDATE "Transcripts" SET "Doubtful" = (SELECT count(*) FROM "TranscriptRows" AS r, json_each(r."Words") AS w
                    WHERE r."TranscriptId" = "Transcripts"."Id" AND r."To" IS NULL AND (json_extract(w.value, '$[3]') < 0.6 OR json_extract(w.value, '$[4]') < 0.05))
                WHERE "State" <> 'Accepted';
                """);

            // The words of the newest versions, to be found at once: rowid is that of the passage. It holds which words stand in it and nothing else; triggers keep it, so that whoever writes passages need not know of it.
            migrationBuilder.Sql("""CREATE VIRTUAL TABLE "TranscriptText" USING fts5("Words", content='', contentless_delete=1, detail=none, tokenize='unicode61');""");
            migrationBuilder.Sql($"""INSERT INTO "TranscriptText"(rowid, "Words") SELECT r."Id", {Of("r")} FROM "TranscriptRows" AS r WHERE r."To" IS NULL;""");
            migrationBuilder.Sql($"""
                CREATE TRIGGER "TranscriptRows_Written" AFTER INSERT ON "TranscriptRows" WHEN new."To" IS NULL BEGIN
                    INSERT INTO "TranscriptText"(rowid, "Words") VALUES (new."Id", {Of("new")});
                END;
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER "TranscriptRows_Closed" AFTER UPDATE OF "To" ON "TranscriptRows" WHEN old."To" IS NULL AND new."To" IS NOT NULL BEGIN
                    DELETE FROM "TranscriptText" WHERE rowid = old."Id";
                END;
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER "TranscriptRows_Removed" AFTER DELETE ON "TranscriptRows" WHEN old."To" IS NULL BEGIN
                    DELETE FROM "TranscriptText" WHERE rowid = old."Id";
                END;
                """);
        }

        private static string Of(string row) => Words.Replace("{0}", row);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""DROP TRIGGER "TranscriptRows_Written"; DROP TRIGGER "TranscriptRows_Closed"; DROP TRIGGER "TranscriptRows_Removed"; DROP TABLE "TranscriptText";""");
            migrationBuilder.DropColumn(
                name: "Doubtful",
                table: "Transcripts");
        }
    }
}
