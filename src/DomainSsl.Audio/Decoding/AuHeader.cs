using System.Buffers.Binary;

namespace DomainSsl.Audio.Decoding;

/// <summary>The header of a Sun/NeXT sound file: six big-endian words, then a note that is skipped unread, then the samples.</summary>
internal static class AuHeader
{
    public static PcmLayout Read(Stream stream, long length, SoundLimits limits)
    {
        Span<byte> head = stackalloc byte[24];
        stream.Position = 0;
        stream.ReadExactly(head);
        long offset = Word(head, 1), size = Word(head, 2), rate = Word(head, 4), channels = Word(head, 5);
        if (offset < 24 || offset > length)
            throw new AudioException(AudioError.Header, "The AU file says that its sound begins outside of it; export it again.");
        var (kind, bits) = Word(head, 3) switch
        {
            1 => (SampleKind.MuLaw, 8),
            27 => (SampleKind.ALaw, 8),
            2 => (SampleKind.Integer, 8),
            3 => (SampleKind.Integer, 16),
            4 => (SampleKind.Integer, 24),
            5 => (SampleKind.Integer, 32),
            6 => (SampleKind.Float, 32),
            7 => (SampleKind.Float, 64),
            var code => throw new AudioException(AudioError.Codec, $"The AU file's sound is stored with code {code}, which is not read here; export it as WAV."),
        };
        SoundChecks.Layout("AU", kind, bits, (int)Math.Min(channels, int.MaxValue), rate, limits);
        long rest = length - offset;
        if (size == uint.MaxValue) size = rest;      // written to a pipe: the length was never known
        if (size > rest) throw SoundChecks.Truncated("AU", size, rest);
        return new PcmLayout("au", kind, bits, BigEndian: true, SignedBytes: true, (int)rate, (int)channels, offset, size / (channels * bits / 8));
    }

    private static uint Word(ReadOnlySpan<byte> head, int index) => BinaryPrimitives.ReadUInt32BigEndian(head[(4 * index)..]);
}
