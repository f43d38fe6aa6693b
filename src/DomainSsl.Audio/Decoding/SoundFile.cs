using System.Numerics.Tensors;
using DomainSsl.Audio.Resampling;

namespace DomainSsl.Audio.Decoding;

/// <summary>What a sound file is: its stored form, and level after decoding to 16 kHz mono (plain mean of the channels).</summary>
/// <param name="Container">As in <see cref="SoundFormat"/>.</param>
/// <param name="Codec">In ffmpeg's words, e.g. <c>pcm_s16le</c>.</param>
/// <param name="SampleRate">As stored, Hz.</param>
/// <param name="Channels">As stored.</param>
/// <param name="Seconds">Length as decoded.</param>
/// <param name="Rms">Root of the mean square at 16 kHz mono, full scale 1.</param>
/// <param name="Peak">Largest magnitude at 16 kHz mono, full scale 1.</param>
public sealed record SoundInspection(string Container, string Codec, int SampleRate, int Channels, double Seconds, double Rms, double Peak);

/// <summary>
/// Whole sound files, by content and never by name. Read here: WAV (RIFF, RIFX, RF64), AIFF/AIFF-C and AU with PCM of 8 to 32 bits, floats, A-law and μ-law, their headers held against
/// <see cref="SoundLimits"/> and the file's real length before NAudio turns the samples into floats. By ffmpeg, where it is installed: MP3, AAC, M4A/MP4/3GP/QuickTime, FLAC, Ogg, WebM/Matroska,
/// AMR, AC-3, CAF, Wave64, Windows Media, AVI, and WAV with ADPCM, GSM or MP3 in it. For what is long, use <see cref="SoundReader"/>.
/// </summary>
public static class SoundFile
{
    private const int BlockSamples = 65_536;

    /// <summary>True when the bytes a file begins with (12 at least) are those of a sound, or of a film, which may have one. MPEG sound behind junk needs the first frames to be known.</summary>
    public static bool IsSound(ReadOnlySpan<byte> first) => SniffedSound.Matches(first);

    /// <summary>Reads and checks the header only.</summary>
    /// <exception cref="AudioException">The content is no sound we read, is cut off, or is beyond the limits; or ffmpeg is needed and missing.</exception>
    public static SoundFormat ReadFormat(Stream stream, SoundLimits? limits = null)
    {
        using var reader = SoundReader.Open(stream, limits);
        return reader.Format;
    }

    /// <summary>Decodes a whole file into memory. The stream must be seekable and is left open.</summary>
    /// <returns>Float samples, full scale ±1. Float files may exceed it and are not clipped. Single samples that are no finite numbers become zero
    /// and are counted.</returns>
    /// <exception cref="AudioException">The content is no sound we read, is cut off, damaged, or beyond the limits; or ffmpeg is needed and missing.</exception>
    public static Sound Read(Stream stream, SoundLimits? limits = null, CancellationToken cancellation = default)
    {
        limits ??= SoundLimits.Default;
        using var reader = SoundReader.Open(stream, limits, cancellation);
        var format = reader.Format;
        if (format.Frames * format.Channels > limits.MaxSamples) throw TooMuch(limits);
        var samples = new float[format.Frames * format.Channels ?? Math.Max(BlockSamples, format.Channels)];
        int done = 0;
        while (true)
        {
            if (done > samples.Length - format.Channels)
            {
                if (done >= limits.MaxSamples) throw TooMuch(limits);
                if (format.Frames is not null) break;
                Array.Resize(ref samples, (int)Math.Min(2L * samples.Length, limits.MaxSamples));
                if (samples.Length - done < format.Channels) throw TooMuch(limits);
            }
            int read = reader.Read(samples.AsSpan(done, format.Frames is null ? samples.Length - done : Math.Min(samples.Length - done, Math.Max(BlockSamples / format.Channels, 1) * format.Channels)));
            if (read == 0) break;
            done += read;
        }
        if (done == samples.Length) reader.Read(new float[format.Channels]);        // its last word: too many samples that are no numbers
        else Array.Resize(ref samples, done);
        return new Sound(samples, format.SampleRate, format.Channels) { MendedSamples = reader.MendedSamples };
    }

    /// <summary>Stored form, length and level of a file; decodes all of it, block by block.</summary>
    /// <exception cref="AudioException">As <see cref="Read"/>.</exception>
    public static SoundInspection Inspect(Stream stream, SoundLimits? limits = null, CancellationToken cancellation = default)
    {
        using var reader = SoundReader.Open(stream, limits, cancellation);
        var format = reader.Format;
        var (block, mono) = (new float[Math.Max(1, BlockSamples / format.Channels) * format.Channels], new float[Math.Max(1, BlockSamples / format.Channels)]);
        var resampler = new StreamResampler(format.SampleRate, Resampler.LearningRate);
        double squares = 0;
        long count = 0;
        float peak = 0;
        for (int read; (read = reader.Read(block)) > 0;)
        {
            Sound.MixToMono(block.AsSpan(0, read), format.Channels, mono);
            Count(resampler.Add(mono.AsSpan(0, read / format.Channels)));
        }
        Count(resampler.Finish());
        return new SoundInspection(format.Container, format.Codec, format.SampleRate, format.Channels, (double)reader.FramesRead / format.SampleRate, Math.Sqrt(squares / count), peak);

        void Count(ReadOnlySpan<float> x)
        {
            if (x.IsEmpty) return;
            count += x.Length;
            peak = Math.Max(peak, Math.Abs(TensorPrimitives.MaxMagnitude(x)));
            for (; !x.IsEmpty; x = x[Math.Min(4096, x.Length)..]) squares += TensorPrimitives.SumOfSquares(x[..Math.Min(4096, x.Length)]);       // so that an hour of float sums loses nothing
        }
    }

    /// <summary>
    /// Writes a sound as it is (rate and channels kept) as WAV. The file has a format and a data part, and for float the fact part that the format
    /// asks for: no place for a name.
    /// </summary>
    public static void WriteWav(Stream output, Sound sound, WavSamples samples = WavSamples.Pcm16)
    {
        ArgumentNullException.ThrowIfNull(sound);
        var writer = new WavWriter(output, sound.SampleRate, sound.Channels, samples, sound.Frames);
        writer.Add(sound.Samples);
        writer.Finish();
    }

    /// <summary>Writes a sound as 16 kHz mono WAV: what is learnt from and played.</summary>
    public static void WriteWav16k(Stream output, Sound sound, WavSamples samples = WavSamples.Pcm16) => WriteWav(output, Resampler.To16kMono(sound), samples);

    private static AudioException TooMuch(SoundLimits limits) => new(AudioError.Limit,
        $"The sound has more than the {limits.MaxSamples:#,0} samples that are taken into memory at once; cut it into shorter recordings.");
}
