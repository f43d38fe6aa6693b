namespace DomainSsl.Audio.Quality;

/// <summary>One thing about a recording that a person should know: a code for programs and a sentence.</summary>
public sealed record SoundFinding(string Code, string Sentence);

/// <summary>How good a recording is, measured on the sound as stored, before resampling.</summary>
/// <param name="RmsDb">Level, dB below full scale (0 is a full-scale square wave); −120 for silence.</param>
/// <param name="PeakDb">Largest magnitude, dB; above 0 for float files beyond full scale.</param>
/// <param name="SilentShare">Share of 20 ms windows whose level is below −60 dB, 0 to 1.</param>
/// <param name="ClippedShare">Share of samples in runs of three or more at the recording's ceiling, where that is near or beyond full scale, 0 to 1.</param>
/// <param name="DcOffset">Mean of the samples, full scale 1: the largest over the channels, with its sign.</param>
/// <param name="SnrDb">Estimated signal to noise, dB; null where the level never changes, so that none can be told.</param>
/// <param name="MendedSamples">Samples that were no numbers and were set to zero.</param>
/// <param name="Findings">What is worth a warning, worst first; empty for a good recording. Codes: <c>cut-off</c>, <c>damaged</c>, <c>silent</c>, <c>channels-cancel</c>, <c>quiet</c>, <c>clipped</c>,
/// <c>dc-offset</c>, <c>mostly-silent</c>, <c>noisy</c>, <c>mended</c>.</param>
public sealed record SoundQuality(
    double RmsDb, double PeakDb, double SilentShare, double ClippedShare, double DcOffset, double? SnrDb, int MendedSamples, IReadOnlyList<SoundFinding> Findings)
{
    /// <summary>Measures a whole sound; <see cref="QualityMeter"/> does so block by block.</summary>
    public static SoundQuality Measure(Sound sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        if (sound.Frames == 0) throw new ArgumentException("A sound without samples has no quality.", nameof(sound));
        var meter = new QualityMeter(sound.SampleRate, sound.Channels);
        meter.Add(sound.Samples);
        return meter.Finish(sound.MendedSamples);
    }
}
