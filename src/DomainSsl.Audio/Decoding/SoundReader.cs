using System.Numerics.Tensors;
using DomainSsl.Audio.Quality;
using NAudio.Wave;

namespace DomainSsl.Audio.Decoding;

/// <summary>
/// A sound file read block by block, however long: memory does not grow with it. What is uncompressed is read here, all else by ffmpeg beside us.
/// Not for several threads at once; the stream is not to be touched until the reader is disposed, and is left open.
/// </summary>
public abstract class SoundReader : IDisposable
{
    /// <summary>Beyond this a float sample is damage, not a loud recording (+36 dB over full scale).</summary>
    private const float Absurd = 64f;

    /// <summary>A larger share than this of samples that are no numbers, and the file is refused rather than mended.</summary>
    private const double MaxMendedShare = 0.05;

    private readonly SoundLimits limits;

    private protected SoundReader(SoundFormat format, SoundLimits limits) => (Format, this.limits) = (format, limits);

    /// <summary>The stored form.</summary>
    public SoundFormat Format { get; }

    /// <summary>Frames read so far; at the end the length of the sound.</summary>
    public long FramesRead { get; private set; }

    /// <summary>Samples so far that were no finite numbers or beyond any recording, and were set to zero.</summary>
    public int MendedSamples { get; private set; }

    /// <summary>What the file itself is at fault for (cut off, damaged in places); complete once <see cref="Read"/> has given 0.</summary>
    public virtual IReadOnlyList<SoundFinding> Findings => [];

    /// <summary>Opens a file by its content, never by its name.</summary>
    /// <param name="stream">Seekable; left open.</param>
    /// <param name="limits">What is accepted.</param>
    /// <param name="cancellation">Ends reading, and the decoder at once.</param>
    /// <exception cref="AudioException">The content is no sound we read, is cut off, or is beyond the limits; or ffmpeg is needed and missing.</exception>
    public static SoundReader Open(Stream stream, SoundLimits? limits = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        limits ??= SoundLimits.Default;
        if (!stream.CanSeek) throw new ArgumentException("The stream must be seekable; copy it into a file or into memory first.", nameof(stream));
        long length = stream.Length;
        if (length == 0) throw new AudioException(AudioError.Empty, "The file is empty (0 bytes); copy it again.");
        if (length > limits.MaxBytes)
            throw new AudioException(AudioError.Limit, $"The file has {length >> 20} MiB, more than the {limits.MaxBytes >> 20} that are taken; cut it into shorter recordings.");
        cancellation.ThrowIfCancellationRequested();
        var kind = SniffedSound.Of(stream, length) ?? throw new AudioException(AudioError.NotSound,
            "The content is no sound that is known here, whatever its name says; choose the recording itself.");
        if (kind.Demuxer is not null) return FfmpegReader.Open(stream, length, kind, limits, cancellation);
        try
        {
            var layout = kind.Container switch
            {
                "wav" => Wav(stream, length, limits),
                "aiff" => AiffHeader.Read(stream, length, First12(stream), limits),
                _ => AuHeader.Read(stream, length, limits),
            };
            if (layout.Kind == SampleKind.Compressed) return FfmpegReader.Open(stream, length, kind with { Demuxer = "wav" }, limits, cancellation);
            SoundChecks.Length(layout, limits);
            return new PcmReader(stream, layout, limits, cancellation);
        }
        catch (EndOfStreamException e)
        {
            throw new AudioException(AudioError.Truncated, "The sound file ends inside its header: it was cut off. Copy or export it again.", e);
        }
    }

    /// <summary>The next samples.</summary>
    /// <param name="buffer">Filled with whole frames, channels interleaved, full scale ±1; float files may exceed it and are not clipped. Must hold at least one frame.</param>
    /// <returns>Samples (not frames) written; fewer than asked for also before the end, and 0 at the end.</returns>
    /// <exception cref="AudioException">The sound is cut off, damaged, empty, or longer than the limits allow.</exception>
    public int Read(Span<float> buffer)
    {
        if (buffer.Length < Format.Channels) throw new ArgumentException($"The buffer must hold a frame of {Format.Channels} samples.", nameof(buffer));
        int read = ReadSamples(buffer[..(buffer.Length - buffer.Length % Format.Channels)]);
        if (read > 0)
        {
            MendedSamples += Mend(buffer[..read]);
            FramesRead += read / Format.Channels;
            double seconds = (double)FramesRead / Format.SampleRate;
            if (seconds > limits.MaxSeconds) throw SoundChecks.TooLong(seconds, limits);
            return read;
        }
        if (FramesRead == 0) throw new AudioException(AudioError.NoSamples, "The file holds a header but no sound; record or export it again.");
        double mended = (double)MendedSamples / (FramesRead * Format.Channels);
        if (mended > MaxMendedShare)
            throw new AudioException(AudioError.Damaged, $"{100 * mended:0} % of the file's samples are not numbers a recording can have; export it again.");
        return 0;
    }

    /// <summary>Ends the decoder, if there is one.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    private protected abstract int ReadSamples(Span<float> buffer);

    /// <summary>Releases what the reader holds.</summary>
    protected virtual void Dispose(bool disposing) { }

    private static int Mend(Span<float> samples)
    {
        if (TensorPrimitives.MaxMagnitude<float>(samples) is <= Absurd and >= -Absurd) return 0;        // false where one is NaN
        int mended = 0;
        foreach (ref float x in samples)
        {
            if (Math.Abs(x) <= Absurd) continue;
            x = 0;
            mended++;
        }
        return mended;
    }

    private static PcmLayout Wav(Stream stream, long length, SoundLimits limits) => WavHeader.Read(stream, length, First12(stream), limits);

    private static byte[] First12(Stream stream)
    {
        var first = new byte[12];
        stream.Position = 0;
        stream.ReadExactly(first);
        return first;
    }
}

/// <summary>Uncompressed sound, its header checked beforehand, turned into floats by NAudio.</summary>
internal sealed class PcmReader(Stream stream, PcmLayout layout, SoundLimits limits, CancellationToken cancellation) : SoundReader(layout.Format, limits)
{
    private readonly ISampleProvider samples = new SampleBytes(stream, layout).ToSampleProvider();
    private long left = layout.Frames * layout.Channels;

    private protected override int ReadSamples(Span<float> buffer)
    {
        cancellation.ThrowIfCancellationRequested();
        int want = (int)Math.Min(buffer.Length, left);
        if (want == 0) return 0;
        try
        {
            int read = samples.Read(buffer[..want]);
            if (read <= 0) throw new EndOfStreamException();
            left -= read;
            return read;
        }
        catch (EndOfStreamException e)
        {
            throw new AudioException(AudioError.Truncated, "The sound file ended while it was read: it was cut off. Copy or export it again.", e);
        }
    }
}
