namespace DomainSsl.Learning.Evaluation;

/// <summary>What became of a piece of the reference.</summary>
public enum EditKind
{
    /// <summary>Both have it.</summary>
    Match,

    /// <summary>The hypothesis has another in its place.</summary>
    Substitution,

    /// <summary>The hypothesis has one more.</summary>
    Insertion,

    /// <summary>The hypothesis lacks it.</summary>
    Deletion,
}

/// <summary>One step of an alignment.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Reference">Place in the reference; of an insertion, the place before which it stands.</param>
/// <param name="Hypothesis">Place in the hypothesis; of a deletion, the place before which it is missing.</param>
public readonly record struct Edit(EditKind Kind, int Reference, int Hypothesis);

/// <summary>The fewest substitutions, insertions and deletions that make a hypothesis of a reference (Levenshtein 1966; the alignment after Wagner and Fischer 1974).</summary>
public static class EditAlignment
{
    private const long MostCells = 1L << 30;

    /// <summary>The alignment from first to last; of several equally short ones, one that substitutes rather than deletes and inserts.</summary>
    /// <exception cref="LearningException">Both are so long that they must be compared piece by piece.</exception>
    public static IReadOnlyList<Edit> Of<T>(ReadOnlySpan<T> reference, ReadOnlySpan<T> hypothesis) where T : IEquatable<T>
    {
        int n = reference.Length, m = hypothesis.Length, width = m + 1;
        if ((long)(n + 1) * width > MostCells) throw new LearningException($"Texts of {n} and {m} pieces are too long to compare in one; compare them segment by segment.");
        var kinds = new byte[(n + 1) * width];
        var row = new int[width];
        for (var j = 1; j <= m; j++) (row[j], kinds[j]) = (j, (byte)EditKind.Insertion);
        for (var i = 1; i <= n; i++)
        {
            var diagonal = row[0];
            (row[0], kinds[i * width]) = (i, (byte)EditKind.Deletion);
            for (var j = 1; j <= m; j++)
            {
                var same = reference[i - 1].Equals(hypothesis[j - 1]);
                var (best, kind) = (diagonal + (same ? 0 : 1), same ? EditKind.Match : EditKind.Substitution);
                if (row[j] + 1 < best) (best, kind) = (row[j] + 1, EditKind.Deletion);
                if (row[j - 1] + 1 < best) (best, kind) = (row[j - 1] + 1, EditKind.Insertion);
                (diagonal, row[j], kinds[i * width + j]) = (row[j], best, (byte)kind);
            }
        }
        var edits = new List<Edit>(Math.Max(n, m));
        for (int i = n, j = m; i > 0 || j > 0;)
        {
            var kind = (EditKind)kinds[i * width + j];
            if (kind != EditKind.Insertion) i--;
            if (kind != EditKind.Deletion) j--;
            edits.Add(new Edit(kind, i, j));
        }
        edits.Reverse();
        return edits;
    }
}
