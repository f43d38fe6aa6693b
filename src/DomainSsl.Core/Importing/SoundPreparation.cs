using System.Text.Json;
using DomainSsl.Audio;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Peaks;
using DomainSsl.Audio.Quality;
using DomainSsl.Core.Library;
using DomainSsl.Core.Storage;

namespace DomainSsl.Core.Importing;

/// <summary>From the bytes of a sound file to what is stored of it: 16 kHz mono WAV without metadata, the outline that the waveform is drawn from, and what is wrong with it.</summary>
internal static class SoundPreparation
{
    /// <summary>Decodes, measures, stores.</summary>
    /// <exception cref="AudioException">The sound cannot be taken.</exception>
    public static Recording Prepare(byte[] bytes, string sourceHash, IBlobStore blobs, bool keepOriginal, CancellationToken cancel)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        var format = SoundFile.ReadFormat(stream);
        var sound = SoundFile.Read(stream, cancellation: cancel);
        var quality = SoundQuality.Measure(sound);
        var stored = new MemoryStream();
        SoundFile.WriteWav16k(stored, sound);
        var peaks = WaveformPeaks.Of(sound);
        return new Recording
        {
            SourceHash = sourceHash,
            BlobHash = blobs.Put(stored.GetBuffer().AsSpan(0, (int)stored.Length)),
            PeaksBlobHash = blobs.Put(PeaksJson(peaks)),
            OriginalBlobHash = keepOriginal ? blobs.Put(bytes) : null,
            Codec = $"{format.Container}/{format.Codec}",
            SampleRate = format.SampleRate,
            Channels = format.Channels,
            Seconds = sound.Seconds,
            Quality = string.Join(' ', quality.Findings.Select(f => f.Sentence)),
            Bytes = stored.Length,
        };
    }

    // Three decimals are a pixel of a waveform a thousand pixels high.
    private static byte[] PeaksJson(WaveformPeaks peaks) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        perSecond = peaks.PerSecond, seconds = Math.Round(peaks.Seconds, 6), max = Array.ConvertAll(peaks.Max, Rounded), min = Array.ConvertAll(peaks.Min, Rounded),
    });

    private static double Rounded(float x) => Math.Round((double)x, 3);
}
