using System.Text.Json;
using DomainSsl.Audio;
using DomainSsl.Audio.Peaks;
using DomainSsl.Audio.Spectrograms;
using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;

namespace DomainSsl.Core.Importing;

/// <summary>
/// From a sound file to what is stored of it, in one pass of flat memory: 16 kHz WAV without metadata (two channels where they are two speakers), outline and spectrogram to draw from, what the checks
/// measured and found, and where there is speech. Blobs are drafts until the very end, so a kill or a refusal leaves none.
/// </summary>
internal sealed class SoundPreparation(IBlobStore blobs, SpeechNetwork speech, DataFolder folder, ImportOptions options)
{
    /// <summary>What one recording on its way takes at most, bytes: buffers of the network, samples that wait for it, outline.</summary>
    public const long Memory = 64 << 20;

    private readonly IntakeOptions _intake = IntakeOptions.Default with { Limits = SoundLimits.Default with { MaxBytes = options.MaxFileBytes, TemporaryFolder = folder.Temporary } };

    /// <summary>Decodes, measures, stores.</summary>
    /// <exception cref="AudioException">The sound cannot be taken.</exception>
    public Recording Prepare(Stream source, string sourceHash, bool keepOriginal, CancellationToken cancel)
    {
        using BlobDraft sound = blobs.Begin(), spectrogram = blobs.Begin();
        var intake = RecordingIntake.Take(source, sound.Stream, spectrogram.Stream, speech.Get(), _intake, cancellation: cancel);
        long bytes = sound.Stream.Length;
        var quality = intake.Quality;
        var recording = new Recording
        {
            SourceHash = sourceHash,
            BlobHash = sound.Keep(),
            PeaksBlobHash = blobs.Put(Outline(intake)),
            SpectrogramBlobHash = spectrogram.Keep(),
            OriginalBlobHash = keepOriginal ? Original(source) : null,
            Codec = $"{intake.Format.Container}/{intake.Format.Codec}",
            SampleRate = intake.Format.SampleRate,
            Channels = intake.Format.Channels,
            StoredChannels = intake.Peaks.Count,
            ChannelUse = intake.Channels,
            Seconds = intake.Seconds,
            Quality = string.Join('\n', quality.Findings.Select(f => f.Sentence)),
            RmsDb = quality.RmsDb,
            PeakDb = quality.PeakDb,
            SilentShare = quality.SilentShare,
            ClippedShare = quality.ClippedShare,
            DcOffset = quality.DcOffset,
            SnrDb = quality.SnrDb,
            Bytes = bytes,
        };
        recording.Segments.AddRange(intake.Segments.Select(s => new Segment { Channel = s.Channel, Start = s.Start, End = s.End, Probability = s.Probability }));
        return recording;
    }

    private string Original(Stream source)
    {
        using var copy = blobs.Begin();
        source.Position = 0;
        source.CopyTo(copy.Stream, 1 << 20);
        return copy.Keep();
    }

    /// <summary>
    /// What a page draws from: <c>{seconds, perSecond, scale, channels: […], spectrogram: {bands, secondsPerColumn, columnsPerSecond, levels}}</c>. A channel is in base64 a signed byte for the smallest and one for the
    /// largest sample of each stretch, 127 being <c>scale</c>: an hour takes 1 MB, and at the loudest a step is less than a pixel. Levels are the overview's, a byte for each column and band.
    /// </summary>
    internal static byte[] Outline(RecordingIntake intake)
    {
        float scale = intake.Peaks.SelectMany(p => p.Max.Concat(p.Min)).Select(MathF.Abs).DefaultIfEmpty().Max();
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            seconds = Math.Round(intake.Peaks[0].Seconds, 6),
            perSecond = intake.Peaks[0].PerSecond,
            scale,
            channels = intake.Peaks.Select(p => Bytes(p, scale)),
            spectrogram = new { bands = intake.Spectrogram.Bands, secondsPerColumn = intake.Spectrogram.SecondsPerColumn, columnsPerSecond = SpectrogramMeter.ColumnsPerSecond, levels = intake.Spectrogram.Levels },
        });
    }

    private static byte[] Bytes(WaveformPeaks peaks, float scale)
    {
        var bytes = new byte[2 * peaks.Min.Length];
        float step = scale > 0 ? 127 / scale : 0;
        for (int i = 0; i < peaks.Min.Length; i++)
            (bytes[2 * i], bytes[2 * i + 1]) = ((byte)(sbyte)MathF.Round(peaks.Min[i] * step), (byte)(sbyte)MathF.Round(peaks.Max[i] * step));
        return bytes;
    }
}
