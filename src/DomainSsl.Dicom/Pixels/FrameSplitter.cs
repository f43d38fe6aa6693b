namespace DomainSsl.Dicom;

/// <summary>Which fragments make which frame (PS3.5 §A.4): by the basic offset table, one for one, or by where a codestream begins.</summary>
internal static class FrameSplitter
{
    public static IReadOnlyList<ReadOnlyMemory<byte>[]> Split(DicomFragments fragments, int frames)
    {
        var parts = fragments.Parts;
        if (frames == 1) return [[.. parts]];
        if (parts.Count < frames) throw Missing(frames, parts.Count);
        if (parts.Count == frames) return [.. parts.Select(p => (ReadOnlyMemory<byte>[])[p])];
        return ByTable(fragments, frames) ?? ByBeginnings(parts, frames);
    }

    // Null where the table is absent or points between fragments.
    private static List<ReadOnlyMemory<byte>[]>? ByTable(DicomFragments fragments, int frames)
    {
        if (fragments.Offsets.Count != frames) return null;
        var (split, current, next, at) = (new List<ReadOnlyMemory<byte>[]>(frames), new List<ReadOnlyMemory<byte>>(), 1, 0L);
        if (fragments.Offsets[0] != 0) return null;
        foreach (var part in fragments.Parts)
        {
            if (next < frames && at == fragments.Offsets[next])
            {
                split.Add([.. current]);
                current.Clear();
                next++;
            }
            current.Add(part);
            at += 8 + part.Length;
        }
        split.Add([.. current]);
        return split.Count == frames && split.TrueForAll(f => f.Length > 0) ? split : null;
    }

    private static List<ReadOnlyMemory<byte>[]> ByBeginnings(IReadOnlyList<ReadOnlyMemory<byte>> parts, int frames)
    {
        var (split, current) = (new List<ReadOnlyMemory<byte>[]>(frames), new List<ReadOnlyMemory<byte>>());
        foreach (var part in parts)
        {
            if (current.Count > 0 && Begins(part.Span))
            {
                split.Add([.. current]);
                current.Clear();
            }
            current.Add(part);
        }
        split.Add([.. current]);
        return split.Count >= frames ? split : throw Missing(frames, split.Count);
    }

    private static bool Begins(ReadOnlySpan<byte> part) =>
        part.Length >= 4 && (part.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) || part.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51]));

    private static DicomException Missing(int frames, int found) => new(DicomErrors.Truncated,
        $"The file should hold {frames} images and holds {found}; copy it again from the source.", DicomTags.NumberOfFrames);
}
