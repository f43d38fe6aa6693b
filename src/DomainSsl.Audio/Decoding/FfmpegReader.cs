using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DomainSsl.Audio.Quality;

namespace DomainSsl.Audio.Decoding;

/// <summary>Compressed sound, decoded by ffmpeg at its own rate and with its own channels: resampling and mixing are ours for every format alike.</summary>
internal sealed class FfmpegReader : SoundReader
{
    private readonly FfmpegProcess ffmpeg;
    private readonly List<SoundFinding> findings = [];
    private readonly bool cutOff;
    private bool ended;

    private FfmpegReader(FfmpegProcess ffmpeg, SoundFormat format, bool cutOff, SoundLimits limits) : base(format, limits) => (this.ffmpeg, this.cutOff) = (ffmpeg, cutOff);

    public override IReadOnlyList<SoundFinding> Findings => findings;

    public static FfmpegReader Open(Stream stream, long length, SniffedSound kind, SoundLimits limits, CancellationToken cancellation)
    {
        var index = kind.Demuxer == "mov" ? MovIndex.Find(stream, length) : default;
        var ffmpeg = new FfmpegProcess(stream, kind.Start, kind.Demuxer!, index.IsLast, limits, cancellation);
        try
        {
            var (rate, channels) = Header(ffmpeg, kind.Name);
            SoundChecks.Layout(kind.Name, SampleKind.Compressed, 0, channels, rate, limits);
            double? announced = ffmpeg.Announced();
            var format = new SoundFormat(kind.Container, ffmpeg.Codec() ?? kind.Container, (int)rate, channels, null, announced);
            if (announced > limits.MaxSeconds) throw SoundChecks.TooLong(announced.Value, limits);
            return new FfmpegReader(ffmpeg, format, index.CutOff, limits);
        }
        catch
        {
            ffmpeg.Dispose();
            throw;
        }
    }

    private protected override int ReadSamples(Span<float> buffer)
    {
        if (ended) return 0;
        var bytes = MemoryMarshal.AsBytes(buffer);
        int frame = 4 * Format.Channels, have = 0;
        do
        {
            int read = ffmpeg.Read(bytes[have..]);
            if (read == 0)
            {
                End();
                break;
            }
            have += read;
        }
        while (have % frame != 0);
        return have / frame * Format.Channels;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) ffmpeg.Dispose();
        base.Dispose(disposing);
    }

    private void End()
    {
        ended = true;
        var complaints = ffmpeg.Complaints();
        double seconds = (double)FramesRead / Format.SampleRate;
        if (cutOff || (Format.AnnouncedSeconds is { } announced && announced - seconds > Math.Max(0.5, 0.02 * announced)))
            findings.Add(new SoundFinding("cut-off", "The file was cut off: it announces more sound than it holds; copy it again if you can."));
        else if (complaints.Count > 0) findings.Add(new SoundFinding("damaged", "Parts of the file are damaged and could not be decoded; copy it again if you can."));
    }

    /// <summary>The header of the WAV that ffmpeg writes; it tells the rate and channels of what follows. Its lengths are unknown, since it writes to a pipe.</summary>
    private static (long Rate, int Channels) Header(FfmpegProcess ffmpeg, string name)
    {
        Span<byte> head = stackalloc byte[12];
        if (!Fill(head)) throw Failed();
        var nonsense = new AudioException(AudioError.Damaged, $"The {name} file could not be decoded; export it again as WAV.");
        if (!head[..4].SequenceEqual("RIFF"u8)) throw nonsense;
        (long Rate, int Channels) form = default;
        Span<byte> body = stackalloc byte[64];
        while (Fill(head[..8]))
        {
            if (head[..4].SequenceEqual("data"u8)) return form;
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (size > body.Length) throw nonsense;
            if (!Fill(body[..(int)(size + (size & 1))])) break;
            if (head[..4].SequenceEqual("fmt "u8)) form = (BinaryPrimitives.ReadUInt32LittleEndian(body[4..]), BinaryPrimitives.ReadUInt16LittleEndian(body[2..]));
        }
        throw Failed();

        bool Fill(Span<byte> into)
        {
            for (int have = 0; have < into.Length;)
            {
                int read = ffmpeg.Read(into[have..]);
                if (read == 0) return false;
                have += read;
            }
            return true;
        }

        // Its own words may repeat what the file says, a name among it: they are sorted, never shown.
        AudioException Failed()
        {
            var complaints = ffmpeg.Complaints();
            if (complaints.Any(c => c.Contains("matches no streams", StringComparison.Ordinal)))
                return new AudioException(AudioError.NoSamples, $"The {name} file holds no sound; choose the recording itself.");
            if (complaints.Any(c => c.Contains("while opening decoder", StringComparison.Ordinal) || c.Contains("ecoder not found", StringComparison.Ordinal) || c.Contains("Unknown decoder", StringComparison.Ordinal)))
                return new AudioException(AudioError.Codec, $"The {name} file's sound is stored in a form that is not read here; export it as WAV.");
            return new AudioException(AudioError.Damaged, $"The {name} file is damaged, or is none but for its first bytes; copy or export it again.");
        }
    }
}
