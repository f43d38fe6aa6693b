using System.Buffers.Binary;

namespace DomainSsl.Audio.Decoding;

/// <summary>
/// The header of an AIFF or AIFF-C file (Apple, 1989 and 1991): the common chunk COMM and the sound chunk SSND; names, comments and markers are
/// skipped unread.
/// </summary>
internal static class AiffHeader
{
    public static PcmLayout Read(Stream stream, long length, ReadOnlySpan<byte> first12, SoundLimits limits)
    {
        bool compressed = ChunkReader.FourLetters(first12[8..]) == "AIFC";
        var chunks = new ChunkReader(stream, length, bigEndian: true);
        byte[]? comm = null;
        (long Body, long Size)? sound = null;
        while ((comm is null || sound is null) && chunks.TryNext(out var id, out var body, out var size))
        {
            if (id == "COMM" && comm is null) comm = chunks.Body(body, size, 22);
            else if (id == "SSND" && sound is null)
            {
                if (size < 8) throw new AudioException(AudioError.NoSamples, "The AIFF file holds a header but no sound; record or export it again.");
                if (body + size > length) throw SoundChecks.Truncated("AIFF", size, length - body);
                uint offset = chunks.UInt32(chunks.Body(body, size, 8));
                if (offset > size - 8) throw new AudioException(AudioError.Header, "The AIFF file says that its sound begins behind its end; export it again.");
                sound = (body + 8 + offset, size - 8 - offset);
            }
        }

        if (comm is null) throw new AudioException(AudioError.Header,
            "The AIFF file does not say how its sound is stored (its COMM part is missing); export it again.");
        if (comm.Length < (compressed ? 22 : 18)) throw new AudioException(AudioError.Header,
            "The AIFF file's description of its sound is too short; export it again.");
        if (sound is not { } found) throw new AudioException(AudioError.NoSamples, "The AIFF file holds a header but no sound; record or export it again.");

        int channels = chunks.UInt16(comm);
        long frames = chunks.UInt32(comm.AsSpan(2));
        int bits = (chunks.UInt16(comm.AsSpan(6)) + 7) / 8 * 8;    // 12-bit sound lies left-aligned in 16
        double exactRate = Extended(comm.AsSpan(8));
        long rate = exactRate is > 0 and < int.MaxValue ? (long)Math.Round(exactRate) : 0;
        string code = compressed ? ChunkReader.FourLetters(comm.AsSpan(18)) : "NONE";
        var (kind, bigEndian) = code switch
        {
            "NONE" or "twos" => (SampleKind.Integer, true),
            "sowt" => (SampleKind.Integer, false),
            "in24" or "in32" => (SampleKind.Integer, true),
            "fl32" or "FL32" or "fl64" or "FL64" => (SampleKind.Float, true),
            "alaw" or "ALAW" => (SampleKind.ALaw, true),
            "ulaw" or "ULAW" => (SampleKind.MuLaw, true),
            _ => throw new AudioException(AudioError.Codec, $"The AIFF-C file's sound is stored as '{code}', which is not read here; export it as uncompressed AIFF or WAV."),
        };
        bits = code.ToLowerInvariant() switch { "in24" => 24, "in32" or "fl32" => 32, "fl64" => 64, "alaw" or "ulaw" => 8, _ => bits };

        SoundChecks.Layout("AIFF", kind, bits, channels, rate, limits);
        int align = channels * bits / 8;
        if (frames * align > found.Size) throw SoundChecks.Truncated("AIFF", frames * align, found.Size);
        return new PcmLayout("aiff", kind, bits, bigEndian, SignedBytes: true, (int)rate, channels, found.Body, frames);
    }

    /// <summary>An 80-bit IEEE 754 extended number, big-endian: sign and 15 bits of exponent, 64 bits of mantissa with its leading one.</summary>
    private static double Extended(ReadOnlySpan<byte> b)
    {
        int exponent = BinaryPrimitives.ReadUInt16BigEndian(b);
        if (exponent is 0 or >= 0x7FFF) return 0;       // zero, negative, infinite or no number: no rate at all
        return Math.ScaleB(BinaryPrimitives.ReadUInt64BigEndian(b[2..]), exponent - 16383 - 63);
    }
}
