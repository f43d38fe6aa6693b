using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Runs;
using Microsoft.EntityFrameworkCore;

namespace DomainSsl.Core.Transcripts;

/// <summary>How hard transcribing listens for a term.</summary>
public enum TermBoost
{
    /// <summary>No harder than for any other word that is known: it is only spelt as the glossary has it.</summary>
    Spelling,
    /// <summary>Where the sound leaves it open.</summary>
    Usual,
    /// <summary>Twice as hard, for one that is still missed: it may then be heard where it was not said.</summary>
    Strong,
}

/// <summary>A word or name as this clinic writes it, and how transcribers have written it instead.</summary>
public sealed class ClinicTerm
{
    /// <summary>Row id.</summary>
    public long Id { get; set; }
    /// <summary>As it is to be written; unique.</summary>
    public required string Text { get; set; }
    /// <summary>Wrong forms of it, a line each.</summary>
    public string Wrong { get; set; } = "";
    /// <summary>How hard transcribing listens for it.</summary>
    public TermBoost Boost { get; set; } = TermBoost.Usual;
    /// <summary>Who put it in.</summary>
    public required string By { get; set; }
    /// <summary>When (UTC).</summary>
    public DateTime At { get; set; }

    /// <summary>Wrong forms of it.</summary>
    public IReadOnlyList<string> WrongForms => Wrong.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>How a wrong form is mended. In one that differs from the term in capitals alone they matter: any other way to write it is right.</summary>
    public Replacement Mending(string form) => new(form, Text, OnlyCapitals(form, Text));

    internal static bool OnlyCapitals(string form, string text) => string.Equals(form, text, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A term with what the transcripts have of it.</summary>
/// <param name="Term">The term.</param>
/// <param name="Wrong">Its wrong forms, with how often each stands in how many recordings.</param>
/// <param name="Suggested">Words of the transcripts that look much like it, with how often each stands there: wrong forms, perhaps.</param>
public sealed record GlossaryLine(ClinicTerm Term, IReadOnlyList<(string Form, int Times, int Recordings)> Wrong, IReadOnlyList<(string Word, int Times)> Suggested);

/// <summary>The clinic's glossary: terms as they are to be written, whose wrong forms are mended in all transcripts at once.</summary>
public sealed class ClinicGlossary(IDbContextFactory<DomainSslContext> factory, TranscriptSearch search, AuditLog audit, TimeProvider time)
{
    /// <summary>Longest term, letters.</summary>
    public const int LongestTerm = 100;

    private const int ShortestSuggested = 5, MostSuggested = 5;
    private static readonly FindOptions Forms = new();

    /// <summary>All terms by the alphabet, with what the transcripts have of each.</summary>
    public async Task<IReadOnlyList<GlossaryLine>> LinesAsync(CancellationToken cancel = default)
    {
        var terms = await TermsAsync(cancel);
        if (terms.Count == 0) return [];
        var (vocabulary, standing) = await search.SurveyAsync([.. terms.SelectMany(t => t.WrongForms.Select(t.Mending))], cancel);
        var known = terms.SelectMany(t => (string[])[t.Text, .. t.WrongForms]).SelectMany(Transcript.Split).Select(TranscriptAlignment.Key).ToHashSet(StringComparer.Ordinal);
        return [.. terms.Select(t => new GlossaryLine(t, [.. t.WrongForms.Select(f => (f, standing[t.Mending(f)].Times, standing[t.Mending(f)].Recordings))], Suggested(t, vocabulary, known)))];
    }

    /// <summary>Puts a term in, or adds wrong forms to one that is there.</summary>
    /// <exception cref="RefusedException"><c>term-empty</c>, <c>term-too-long</c>, <c>term-wrong</c>.</exception>
    public async Task AddAsync(string text, IEnumerable<string> wrong, string by, CancellationToken cancel = default)
    {
        text = Tidy(text);
        var forms = Different(wrong.Select(Tidy).Where(f => f.Length > 0), text);
        if (!text.Any(char.IsLetterOrDigit)) throw new RefusedException("term-empty", "Write the term as it is to be written.");
        if (text.Length > LongestTerm || forms.Any(f => f.Length > LongestTerm)) throw new RefusedException("term-too-long", $"A term of more than {LongestTerm} letters is not taken.");
        // A form that is found in the term itself would be replaced in what is right.
        if (forms.FirstOrDefault(f => TranscriptEdits.Find(new Transcript([new TranscriptSegment(null, null, null, [.. Transcript.Split(text).Select(w => new TranscriptWord(w))])]), f,
                Forms with { MatchCase = ClinicTerm.OnlyCapitals(f, text) }).Count > 0) is { } inside)
            throw new RefusedException("term-wrong", $"'{inside}' is part of the term itself, so mending it would change what is right.");
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var term = await db.ClinicTerms.SingleOrDefaultAsync(t => t.Text == text, cancel);
        if (term is null) db.ClinicTerms.Add(term = new ClinicTerm { Text = text, By = by, At = time.GetUtcNow().UtcDateTime });
        term.Wrong = string.Join('\n', Different(term.WrongForms.Concat(forms), text));
        await db.SaveChangesAsync(cancel);
        await audit.AppendAsync(db, by, "changed", "glossary", $"term {term.Id}", cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Takes a term out, or one of its wrong forms.</summary>
    public async Task RemoveAsync(long id, string? form, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await db.ClinicTerms.SingleOrDefaultAsync(t => t.Id == id, cancel) is not { } term) return;
        if (form is null) db.ClinicTerms.Remove(term);
        else term.Wrong = string.Join('\n', term.WrongForms.Where(f => f != form));
        await db.SaveChangesAsync(cancel);
        await audit.AppendAsync(db, by, "changed", "glossary", $"term {id}{(form is null ? " taken out" : "")}", cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Sets how hard transcribing listens for a term from now on.</summary>
    public async Task BoostAsync(long id, TermBoost boost, string by, CancellationToken cancel = default)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (await db.ClinicTerms.SingleOrDefaultAsync(t => t.Id == id, cancel) is not { } term || term.Boost == boost) return;
        term.Boost = boost;
        await db.SaveChangesAsync(cancel);
        await audit.AppendAsync(db, by, "changed", "glossary", $"term {id}: {boost.ToString().ToLowerInvariant()}", cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Mends the wrong forms of all terms, or of one, in all transcripts.</summary>
    /// <exception cref="RefusedException">There is no wrong form.</exception>
    public async Task<BulkReceipt> MendAsync(long? id, string by, CancellationToken cancel = default)
    {
        // Longer forms first: "new monia" before "new".
        var replacements = (await TermsAsync(cancel)).Where(t => id is null || t.Id == id).SelectMany(t => t.WrongForms.Select(t.Mending)).OrderByDescending(r => r.What.Length).ToList();
        if (replacements.Count == 0) throw new RefusedException("nothing-to-replace", "No term has a wrong form yet; add some.");
        return await search.ReplaceAsync(replacements, Forms, new HashSet<string>(), by, cancel);
    }

    /// <summary>What decoding listens to with these language models, of which any may be missing: they and the glossary's terms; null where there is nothing.</summary>
    public async Task<SpeechLanguage?> HeardAsync(string? ngramId, string? causalId, CancellationToken cancel = default)
    {
        var terms = await TermsAsync(cancel);
        var boosts = terms.Where(t => t.Boost != TermBoost.Usual).ToDictionary(t => t.Text, t => t.Boost == TermBoost.Strong ? 2.0 : 0);
        return SpeechLanguage.Of(ngramId, causalId, [.. terms.Select(t => t.Text)], boosts);
    }

    /// <summary>The terms as they are to be written.</summary>
    public async Task<IReadOnlyList<string>> TextsAsync(CancellationToken cancel = default) => [.. (await TermsAsync(cancel)).Select(t => t.Text)];

    private async Task<List<ClinicTerm>> TermsAsync(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        return [.. (await db.ClinicTerms.AsNoTracking().ToListAsync(cancel)).OrderBy(t => t.Text, StringComparer.OrdinalIgnoreCase)];
    }

    // Capitals tell forms apart only where they are all that is wrong.
    private static List<string> Different(IEnumerable<string> forms, string text) => [.. forms.DistinctBy(f => ClinicTerm.OnlyCapitals(f, text) ? f : f.ToLowerInvariant(), StringComparer.Ordinal)];

    private static string Tidy(string text) => string.Join(' ', Transcript.Split(text));

    // Words of nearly the same letters. Words that stand far more often than the term are words of their own.
    private static List<(string Word, int Times)> Suggested(ClinicTerm term, IReadOnlyDictionary<string, int> vocabulary, HashSet<string> known)
    {
        var key = TranscriptAlignment.Key(term.Text);
        if (term.Text.Contains(' ', StringComparison.Ordinal) || key.Length < ShortestSuggested) return [];
        var most = Math.Max(1, key.Length / 4);
        var often = 3 + 3 * vocabulary.GetValueOrDefault(key);
        return [.. vocabulary.Where(v => Math.Abs(v.Key.Length - key.Length) <= most && v.Value <= often && !known.Contains(v.Key) && Distance(v.Key, key) <= most)
            .OrderByDescending(v => v.Value).ThenBy(v => v.Key, StringComparer.Ordinal).Take(MostSuggested).Select(v => (v.Key, v.Value))];
    }

    // Levenshtein's, two rows.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var (above, left) = (row[0], row[0] = i);
            for (var j = 1; j <= b.Length; j++)
            {
                var here = Math.Min(Math.Min(row[j], left) + 1, above + (a[i - 1] == b[j - 1] ? 0 : 1));
                (above, row[j], left) = (row[j], here, here);
            }
        }
        return row[^1];
    }
}
