using System.Buffers.Binary;

namespace DomainSsl.Audio.Decoding;

/// <summary>
/// The header of a WAVE file: RIFF (little-endian), RIFX (big-endian) and RF64 (64-bit lengths in a ds64 chunk, EBU Tech 3306),
/// with WAVEFORMAT, WAVEFORMATEX and WAVEFORMATEXTENSIBLE. Everything but fmt, ds64 and data is skipped unread.
/// </summary>
internal static class WavHeader
{
    private const ushort Pcm = 1, IeeeFloat = 3, ALaw = 6, MuLaw = 7, MsAdpcm = 2, ImaAdpcm = 0x11, Gsm = 0x31, Mpeg = 0x50, Mp3 = 0x55, Extensible = 0xFFFE;

    /// <summary>Reads and checks. A codec that is ffmpeg's work comes back as <see cref="SampleKind.Compressed"/> with rate and channels checked and no frames.</summary>
    public static PcmLayout Read(Stream stream, long length, ReadOnlySpan<byte> first12, SoundLimits limits)
    {
        string form = ChunkReader.FourLetters(first12);
        var chunks = new ChunkReader(stream, length, bigEndian: form == "RIFX");
        uint riffSize = chunks.UInt32(first12[4..]);

        byte[]? fmt = null;
        (long Body, long Size)? data = null;
        long longDataSize = -1;
        while ((fmt is null || data is null) && chunks.TryNext(out var id, out var body, out var size))
        {
            switch (id)
            {
                case "ds64" when form == "RF64":
                    var ds64 = chunks.Body(body, size, 28);
                    if (ds64.Length >= 16) longDataSize = BinaryPrimitives.ReadInt64LittleEndian(ds64.AsSpan(8));
                    break;
                case "fmt " when fmt is null:
                    fmt = chunks.Body(body, size, 40);
                    break;
                case "data" when data is null:
                    long held = Held(form, riffSize, longDataSize, size, length - body);
                    data = (body, held);
                    chunks.Continue(body, held);
                    break;
            }
        }

        if (fmt is null) throw new AudioException(AudioError.Header,
            "The WAV file does not say how its sound is stored (its fmt part is missing); export it again.");
        if (fmt.Length < 16) throw new AudioException(AudioError.Header, "The WAV file's description of its sound is too short; export it again.");
        if (data is not { } found) throw new AudioException(AudioError.NoSamples, "The WAV file holds a header but no sound; record or export it again.");

        ushort code = chunks.UInt16(fmt);
        int channels = chunks.UInt16(fmt.AsSpan(2));
        long rate = chunks.UInt32(fmt.AsSpan(4));
        int align = chunks.UInt16(fmt.AsSpan(12));
        int bits = chunks.UInt16(fmt.AsSpan(14));
        if (code == Extensible)
        {
            if (fmt.Length < 40) throw new AudioException(AudioError.Header, "The WAV file's description of its sound is too short; export it again.");
            code = chunks.UInt16(fmt.AsSpan(24));   // the sub-format's GUID begins with the plain format's code
        }

        var kind = code switch
        {
            Pcm => SampleKind.Integer,
            IeeeFloat => SampleKind.Float,
            ALaw => SampleKind.ALaw,
            MuLaw => SampleKind.MuLaw,
            MsAdpcm or ImaAdpcm or Gsm or Mpeg or Mp3 when form == "RIFF" => SampleKind.Compressed,
            _ => throw new AudioException(AudioError.Codec, $"The WAV file's sound is stored as {CodecName(code)}, which is not read here; export it as uncompressed WAV (PCM)."),
        };
        SoundChecks.Layout("WAV", kind, bits, channels, rate, limits);
        if (kind == SampleKind.Compressed) return new PcmLayout("wav", kind, bits, BigEndian: false, SignedBytes: false, (int)rate, channels, found.Body, 0);
        if (align != channels * bits / 8)
            throw new AudioException(AudioError.Header, "The WAV file contradicts itself about the size of a sample; export it again.");
        return new PcmLayout("wav", kind, bits, chunks.BigEndian, SignedBytes: false, (int)rate, channels, found.Body, found.Size / align);
    }

    /// <summary>
    /// How many bytes of sound there are. A recorder that writes to a pipe cannot go back to fill the length in and leaves all ones (ffmpeg), a very large
    /// number (sox) or zeros: then the sound reaches to the file's end. Any other length that the file does not hold means it was cut off.
    /// </summary>
    private static long Held(string form, uint riffSize, long longDataSize, long size, long rest)
    {
        if (form == "RF64" && size == uint.MaxValue && longDataSize >= 0) size = longDataSize;
        else if (size is uint.MaxValue or int.MaxValue or 0x7FFFF000 || (size == 0 && riffSize == 0)) size = Math.Min(size == 0 ? rest : size, rest);
        if (size > rest) throw SoundChecks.Truncated("WAV", size, rest);
        return size;
    }

    private static string CodecName(ushort code) => code switch
    {
        MsAdpcm or ImaAdpcm => "ADPCM",
        Gsm => "GSM 6.10",
        Mpeg or Mp3 => "MPEG audio (MP3)",
        0x0161 or 0x0162 => "Windows Media Audio",
        _ => $"an unknown codec (code 0x{code:X4})",
    };
}
