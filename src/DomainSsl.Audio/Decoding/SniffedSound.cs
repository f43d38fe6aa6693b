namespace DomainSsl.Audio.Decoding;

/// <summary>What a file is, by its content alone. Text never passes, so no playlist does, whatever its name.</summary>
/// <param name="Container">As in <see cref="SoundFormat"/>.</param>
/// <param name="Name">In a sentence: "an MP3 file".</param>
/// <param name="Demuxer">The one demuxer of ffmpeg that will look at the bytes; null where we read them ourselves.</param>
/// <param name="Start">Where the sound begins, behind tags and junk, bytes. Tags hold names and pictures: no decoder is shown them.</param>
internal sealed record SniffedSound(string Container, string Name, string? Demuxer, long Start = 0)
{
    /// <summary>How far into a file the first frame of MPEG sound is looked for.</summary>
    private const int Reach = 64 << 10;

    private const int FramesNeeded = 3, MaxTags = 8;

    private static ReadOnlySpan<byte> W64 => [0x2E, 0x91, 0xCF, 0x11];
    private static ReadOnlySpan<byte> Ebml => [0x1A, 0x45, 0xDF, 0xA3];
    private static ReadOnlySpan<byte> Asf => [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11];

    /// <summary>True when the bytes a file begins with are those of a sound, or of a film that may have one. Twelve bytes tell all but MPEG sound behind junk; more are surer.</summary>
    public static bool Matches(ReadOnlySpan<byte> first) => first.Length >= 12 && (Magic(first) is not null || TagSize(first) > 0 || MpegAt(first, first.Length, long.MaxValue) is not null);

    /// <summary>Looks at the head of a file; null where it is no sound we know.</summary>
    public static SniffedSound? Of(Stream stream, long length)
    {
        long start = 0;
        for (int tags = 0; tags < MaxTags; tags++)
        {
            var head = Head(stream, start, length);
            // Only what is found in streams may stand behind an ID3 tag.
            if (Magic(head) is { } found && (tags == 0 || found.Container == "flac")) return found with { Start = start };
            long tag = TagSize(head);
            if (tag == 0) return FirstFrame(head, start, length);
            start += tag;
            if (start >= length) return null;
        }
        return null;
    }

    private static byte[] Head(Stream stream, long start, long length)
    {
        var head = new byte[Math.Min(Reach, length - start)];
        stream.Position = start;
        return head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
    }

    private static SniffedSound? Magic(ReadOnlySpan<byte> b)
    {
        if (b.Length < 12) return null;
        var (form, type) = (ChunkReader.FourLetters(b), ChunkReader.FourLetters(b[8..]));
        return form switch
        {
            "RIFF" or "RIFX" or "RF64" when type == "WAVE" => new("wav", "WAV", null),
            "RIFF" when type == "AVI " => new("avi", "AVI", "avi"),
            "FORM" when type is "AIFF" or "AIFC" => new("aiff", "AIFF", null),
            ".snd" => new("au", "AU", null),
            "fLaC" => new("flac", "FLAC", "flac"),
            "OggS" => new("ogg", "Ogg", "ogg"),
            "caff" => new("caf", "Core Audio", "caf"),
            "riff" when b[4..8].SequenceEqual(W64) => new("w64", "Wave64", "w64"),
            "#!AM" when b[4..6].SequenceEqual("R\n"u8) || b[4..9].SequenceEqual("R-WB\n"u8) => new("amr", "AMR", "amr"),
            _ when b[..4].SequenceEqual(Ebml) => new("matroska", "WebM or Matroska", "matroska"),
            _ when b[..8].SequenceEqual(Asf) => new("asf", "Windows Media", "asf"),
            _ when b[0] == 0x0B && b[1] == 0x77 && b[5] >> 3 is var version => version switch
            {
                <= 10 when b[4] >> 6 != 3 && (b[4] & 63) < 38 => new("ac3", "AC-3", "ac3"),
                > 10 and <= 16 => new("eac3", "E-AC-3", "eac3"),
                _ => null,
            },
            _ => ChunkReader.FourLetters(b[4..]) is "ftyp" or "moov" or "mdat" or "wide" ? new("mov", "MP4, M4A or QuickTime", "mov") : null,
        };
    }

    /// <summary>Length of an ID3v2 tag with its header (and footer), bytes; 0 where there is none (id3.org, "ID3 tag version 2.4.0", §3.1).</summary>
    private static long TagSize(ReadOnlySpan<byte> b)
    {
        if (b.Length < 10 || !b[..3].SequenceEqual("ID3"u8) || ((b[6] | b[7] | b[8] | b[9]) & 0x80) != 0) return 0;
        return 10 + (b[6] << 21 | b[7] << 14 | b[8] << 7 | b[9]) + ((b[5] & 0x10) != 0 ? 10 : 0);
    }

    private static SniffedSound? FirstFrame(ReadOnlySpan<byte> head, long start, long length)
    {
        for (int i = 0; i + 7 <= head.Length; i++)
        {
            if (head[i] != 0xFF) continue;
            if (MpegAt(head[i..], head.Length - i, length - start - i) is { } found) return found with { Start = start + i };
        }
        return null;
    }

    /// <summary>
    /// MPEG sound whose first frame lies at the beginning: a header alone is eleven set bits, which any file may hold, so the next headers must stand where the frames' lengths put them. What lies beyond
    /// the bytes given is believed, except that two headers must have been seen where the file is as short as that.
    /// </summary>
    private static SniffedSound? MpegAt(ReadOnlySpan<byte> bytes, int seen, long rest)
    {
        int at = 0, first = 0;
        SniffedSound? kind = null;
        for (int frames = 0; frames < FramesNeeded; frames++)
        {
            if (at >= rest) return frames >= 2 ? kind : null;
            if (at + 7 > seen) return frames >= 2 || (frames == 1 && rest > seen) ? kind : null;
            int length = FrameLength(bytes[at..], out int signature, out bool adts);
            if (length == 0 || (frames > 0 && signature != first)) return null;
            first = signature;
            kind ??= adts ? new("aac", "AAC", "aac") : new("mp3", "MP3", "mp3");
            at += length;
        }
        return kind;
    }

    /// <summary>
    /// Bytes from this header to the next: MPEG-1, -2 and -2.5 layers II and III (ISO 11172-3 §2.4.2.3, ISO 13818-3), or ADTS (ISO 13818-7 §6.2). 0 where it is none.
    /// The signature holds what cannot change within a stream.
    /// </summary>
    private static int FrameLength(ReadOnlySpan<byte> h, out int signature, out bool adts)
    {
        (signature, adts) = (0, false);
        if (h[0] != 0xFF || (h[1] & 0xE0) != 0xE0) return 0;
        int version = h[1] >> 3 & 3, layer = h[1] >> 1 & 3, rateIndex = h[2] >> 2 & 3, rateOfBits = h[2] >> 4;
        if (layer == 0)
        {
            adts = true;
            int length = (h[3] & 3) << 11 | h[4] << 3 | h[5] >> 5;
            signature = h[1] & 0xFE | (h[2] & 0xFC) << 8;
            return (h[1] & 0xF0) == 0xF0 && (h[2] >> 2 & 15) < 13 && length > 7 ? length : 0;
        }
        if (version == 1 || layer == 3 || rateIndex == 3 || rateOfBits is 0 or 15) return 0;
        signature = h[1] & 0xFE | rateIndex << 8;
        int rate = (rateIndex switch { 0 => 44_100, 1 => 48_000, _ => 32_000 }) >> (version switch { 3 => 0, 2 => 1, _ => 2 });
        ReadOnlySpan<short> kilobits = version != 3 ? [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
            : layer == 2 ? [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384] : [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        int bytesAHertz = version != 3 && layer == 1 ? 72_000 : 144_000;        // samples a frame / 8 bits, × 1,000
        return bytesAHertz * kilobits[rateOfBits - 1] / rate + (h[2] >> 1 & 1);
    }
}
