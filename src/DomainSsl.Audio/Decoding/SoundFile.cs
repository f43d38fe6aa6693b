using System.Numerics.Tensors;
using DomainSsl.Audio.Resampling;
using NAudio.Wave;

namespace DomainSsl.Audio.Decoding;

/// <summary>What a sound file is: its stored form, and level after decoding to 16 kHz mono (plain mean of the channels).</summary>
/// <param name="Container"><c>wav</c> or <c>aiff</c>.</param>
/// <param name="Codec">In ffmpeg's words, e.g. <c>pcm_s16le</c>.</param>
/// <param name="SampleRate">As stored, Hz.</param>
/// <param name="Channels">As stored.</param>
/// <param name="Seconds">Length.</param>
/// <param name="Rms">Root of the mean square at 16 kHz mono, full scale 1.</param>
/// <param name="Peak">Largest magnitude at 16 kHz mono, full scale 1.</param>
public sealed record SoundInspection(string Container, string Codec, int SampleRate, int Channels, double Seconds, double Rms, double Peak);

/// <summary>
/// Reads WAV (RIFF, RIFX, RF64; PCM 8 to 32 bits, float 32 and 64, A-law, μ-law) and AIFF/AIFF-C, by content and never by name, and writes WAV
/// without metadata.
/// The header is checked here, against <see cref="SoundLimits"/> and the file's real length, before NAudio turns the samples into floats.
/// </summary>
public static class SoundFile
{
    /// <summary>Beyond this a float sample is damage, not a loud recording (+36 dB over full scale).</summary>
    private const float Absurd = 64f;

    /// <summary>A larger share than this of samples that are no numbers, and the file is refused rather than mended.</summary>
    private const double MaxMendedShare = 0.05;

    /// <summary>True when the first bytes (12 are enough) are those of a WAV or AIFF file.</summary>
    public static bool IsSound(ReadOnlySpan<byte> first) => first.Length >= 12 && Container(first) is not null;

    /// <summary>Reads and checks the header only; no sample is decoded.</summary>
    /// <exception cref="AudioException">The content is no sound we read, is cut off, or is beyond the limits.</exception>
    public static SoundFormat ReadFormat(Stream stream, SoundLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        limits ??= SoundLimits.Default;
        if (!stream.CanSeek) throw new ArgumentException("The stream must be seekable; copy it into a file or into memory first.", nameof(stream));
        long length = stream.Length;
        if (length == 0) throw new AudioException(AudioError.Empty, "The file is empty (0 bytes); copy it again.");
        if (length > limits.MaxBytes)
            throw new AudioException(AudioError.Limit, $"The file has {length >> 20} MiB, more than the {limits.MaxBytes >> 20} that are taken; cut it into shorter recordings.");
        Span<byte> first = stackalloc byte[12];
        stream.Position = 0;
        int read = stream.ReadAtLeast(first, 12, throwOnEndOfStream: false);
        first = first[..read];
        try
        {
            var format = (read == 12 ? Container(first) : null) switch
            {
                "wav" => WavHeader.Read(stream, length, first, limits),
                "aiff" => AiffHeader.Read(stream, length, first, limits),
                _ => throw Unknown(first),
            };
            SoundChecks.Length(format, limits);
            return format;
        }
        catch (EndOfStreamException e)
        {
            throw new AudioException(AudioError.Truncated, "The sound file ends inside its header: it was cut off. Copy or export it again.", e);
        }
    }

    /// <summary>Decodes a whole WAV or AIFF file. The stream must be seekable and is left open.</summary>
    /// <returns>Float samples, full scale ±1. Float files may exceed it and are not clipped. Single samples that are no finite numbers become zero
    /// and are counted.</returns>
    /// <exception cref="AudioException">The content is no sound we read, is cut off, damaged, or beyond the limits.</exception>
    public static Sound Read(Stream stream, SoundLimits? limits = null, CancellationToken cancellation = default)
    {
        var format = ReadFormat(stream, limits);
        return Decode(stream, format, cancellation);
    }

    /// <summary>Stored form, length and level of a file; decodes it whole.</summary>
    /// <exception cref="AudioException">As <see cref="Read"/>.</exception>
    public static SoundInspection Inspect(Stream stream, SoundLimits? limits = null, CancellationToken cancellation = default)
    {
        var format = ReadFormat(stream, limits);
        var mono = Resampler.To16kMono(Decode(stream, format, cancellation)).Samples;
        double rms = Math.Sqrt(SumOfSquares(mono) / mono.Length);
        return new SoundInspection(format.Container, format.Codec, format.SampleRate, format.Channels, format.Seconds, rms,
            Math.Abs(TensorPrimitives.MaxMagnitude(mono)));
    }

    /// <summary>
    /// Writes a sound as it is (rate and channels kept) as WAV. The file has a format and a data part, and for float the fact part that the format
    /// asks for: no place for a name.
    /// </summary>
    public static void WriteWav(Stream output, Sound sound, WavSamples samples = WavSamples.Pcm16) => WavWriter.Write(output, sound, samples);

    /// <summary>Writes a sound as 16 kHz mono WAV: what is learnt from and played.</summary>
    public static void WriteWav16k(Stream output, Sound sound, WavSamples samples = WavSamples.Pcm16) =>
        WavWriter.Write(output, Resampler.To16kMono(sound), samples);

    private static Sound Decode(Stream stream, SoundFormat format, CancellationToken cancellation)
    {
        var samples = new float[format.Frames * format.Channels];
        var provider = new SampleBytes(stream, format).ToSampleProvider();
        int step = Math.Max(1, 65_536 / format.Channels) * format.Channels;
        int done = 0;
        try
        {
            while (done < samples.Length)
            {
                cancellation.ThrowIfCancellationRequested();
                int read = provider.Read(samples.AsSpan(done, Math.Min(step, samples.Length - done)));
                if (read <= 0) throw new EndOfStreamException();
                done += read;
            }
        }
        catch (EndOfStreamException e)
        {
            throw new AudioException(AudioError.Truncated, "The sound file ended while it was read: it was cut off. Copy or export it again.", e);
        }
        return new Sound(samples, format.SampleRate, format.Channels) { MendedSamples = format.Kind == SampleKind.Float ? Mend(samples) : 0 };
    }

    private static int Mend(float[] samples)
    {
        int mended = 0;
        foreach (ref float x in samples.AsSpan())
        {
            if (Math.Abs(x) <= Absurd) continue;        // also false for NaN
            x = 0;
            mended++;
        }
        if (mended > samples.Length * MaxMendedShare)
            throw new AudioException(AudioError.Damaged, $"{100.0 * mended / samples.Length:0} % of the file's samples are not numbers a recording can have; export it again.");
        return mended;
    }

    private static double SumOfSquares(ReadOnlySpan<float> x)
    {
        double sum = 0;     // in blocks, so that an hour of float sums loses nothing
        for (; x.Length > 4096; x = x[4096..]) sum += TensorPrimitives.SumOfSquares(x[..4096]);
        return sum + TensorPrimitives.SumOfSquares(x);
    }

    private static string? Container(ReadOnlySpan<byte> first)
    {
        var (form, type) = (ChunkReader.FourLetters(first), ChunkReader.FourLetters(first[8..]));
        return form is "RIFF" or "RIFX" or "RF64" && type == "WAVE" ? "wav" : form == "FORM" && type is "AIFF" or "AIFC" ? "aiff" : null;
    }

    /// <summary>Names what the file is instead, where its first bytes tell, since people are helped most by that.</summary>
    private static AudioException Unknown(ReadOnlySpan<byte> first)
    {
        string? compressed = first switch
        {
            [(byte)'I', (byte)'D', (byte)'3', ..] or [0xFF, 0xFB or 0xFA or 0xF3 or 0xF2, ..] => "MP3",
            [(byte)'f', (byte)'L', (byte)'a', (byte)'C', ..] => "FLAC",
            [(byte)'O', (byte)'g', (byte)'g', (byte)'S', ..] => "Ogg",
            [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => "MP4/M4A",
            [0x1A, 0x45, 0xDF, 0xA3, ..] => "WebM/Matroska",
            [(byte)'c', (byte)'a', (byte)'f', (byte)'f', ..] => "Core Audio",
            [(byte)'r', (byte)'i', (byte)'f', (byte)'f', ..] => "Wave64",
            [(byte)'.', (byte)'s', (byte)'n', (byte)'d', ..] => "Sun audio",
            _ => null,
        };
        return compressed is null
            ? new AudioException(AudioError.NotSound, "The content is not that of a WAV or AIFF file, whatever its name says; choose the recording itself.")
            : new AudioException(AudioError.Codec, $"The content is a {compressed} file, which is not read here; export it as WAV.");
    }
}
