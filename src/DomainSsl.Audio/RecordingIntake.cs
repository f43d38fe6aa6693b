using System.Buffers;
using System.Collections.Concurrent;
using DomainSsl.Audio.Decoding;
using DomainSsl.Audio.Peaks;
using DomainSsl.Audio.Quality;
using DomainSsl.Audio.Resampling;
using DomainSsl.Audio.Spectrograms;
using DomainSsl.Audio.VoiceActivity;

namespace DomainSsl.Audio;

/// <summary>What is done with a recording on its way in.</summary>
public sealed record IntakeOptions
{
    /// <summary>The default options.</summary>
    public static IntakeOptions Default { get; } = new();

    /// <summary>What is accepted.</summary>
    public SoundLimits Limits { get; init; } = SoundLimits.Default;

    /// <summary>How speech is cut; null: no speech is looked for (heart sounds, coughs).</summary>
    public SegmentOptions? Segments { get; init; } = SegmentOptions.Default;

    /// <summary>How much of a stereo recording is heard before it is decided whether its channels are two speakers, seconds. Default 20 minutes.</summary>
    public double SecondsForChannels { get; init; } = 20 * 60;
}

/// <summary>A recording on its way in: one pass over any sound file makes the sound that is kept and all that a page and a transcriber need of it.</summary>
/// <param name="Format">The stored form.</param>
/// <param name="Seconds">Length as decoded.</param>
/// <param name="Channels">What became of the channels; <see cref="ChannelUse.Apart"/> means that the sound kept has two.</param>
/// <param name="Relation">How a stereo recording's channels relate; null for other numbers of channels.</param>
/// <param name="Quality">Measured on the sound as stored.</param>
/// <param name="Peaks">Outline of the sound kept, one a channel.</param>
/// <param name="Spectrogram">Overview of the sound kept (the mean of its channels).</param>
/// <param name="Segments">Speech, by start; each with its channel.</param>
public sealed record RecordingIntake(SoundFormat Format, double Seconds, ChannelUse Channels, ChannelRelation? Relation, SoundQuality Quality, IReadOnlyList<WaveformPeaks> Peaks,
    SpectrogramOverview Spectrogram, IReadOnlyList<SpeechSegment> Segments)
{
    private const int BlockSamples = 1 << 15;

    /// <summary>
    /// Decodes, measures, resamples to 16 kHz, draws, and finds speech, block by block: memory does not grow with the length but for the outline (and two bytes each 30 ms of the beginning of a stereo recording). The
    /// network that finds speech runs beside the rest. A stereo recording is begun twice: once to hear whether its channels are two speakers.
    /// </summary>
    /// <param name="source">Seekable; left open.</param>
    /// <param name="wav">Gets the sound kept: 16 kHz, 16 bits, mono or, for two speakers, stereo, without metadata. Seekable; left open.</param>
    /// <param name="spectrogram">Gets the spectrogram in full, see <see cref="SpectrogramMeter"/>; null where it is not wanted.</param>
    /// <param name="network">Finds speech; may serve several recordings at once. Null where <see cref="IntakeOptions.Segments"/> is.</param>
    /// <param name="options">What is done.</param>
    /// <param name="progress">Seconds of sound done.</param>
    /// <param name="cancellation">Stops it; what was written is to be thrown away.</param>
    /// <exception cref="AudioException">As <see cref="SoundReader.Open"/> and <see cref="SoundReader.Read"/>.</exception>
    public static RecordingIntake Take(Stream source, Stream wav, Stream? spectrogram, SileroVad? network, IntakeOptions? options = null, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        options ??= IntakeOptions.Default;
        if (options.Segments is not null) ArgumentNullException.ThrowIfNull(network);
        var relation = Relate(source, options, cancellation);
        var use = relation?.Use ?? ChannelUse.Mean;
        int kept = use == ChannelUse.Apart ? 2 : 1;

        using var reader = SoundReader.Open(source, options.Limits, cancellation);
        var format = reader.Format;
        if (relation is not null && format.Channels != 2) throw new InvalidOperationException("The file has changed while it was read.");
        var quality = new QualityMeter(format.SampleRate, format.Channels);
        var resamplers = Each(() => new StreamResampler(format.SampleRate, Resampler.LearningRate));
        var peaks = Each(() => new PeakMeter(Resampler.LearningRate, 1));
        var drawn = new SpectrogramMeter(spectrogram);
        var writer = new WavWriter(wav, Resampler.LearningRate, kept);
        using var speech = options.Segments is null ? null : new SpeechBeside(network!, kept, options.Segments);

        int frames = Math.Max(1, BlockSamples / format.Channels);
        var block = new float[frames * format.Channels];
        var split = Each(() => new float[frames]);
        float[] joined = [], mean = [];
        for (int read; (read = reader.Read(block)) > 0;)
        {
            var part = block.AsSpan(0, read);
            quality.Add(part);
            int count = read / format.Channels;
            if (use == ChannelUse.Mean) Sound.MixToMono(part, format.Channels, split[0]);
            else
                for (int c = 0; c < kept; c++)
                    for (int i = 0, j = use == ChannelUse.Right ? 1 : c; i < count; i++, j += 2) split[c][i] = part[j];
            Keep(resamplers[0].Add(split[0].AsSpan(0, count)), kept == 2 ? resamplers[1].Add(split[1].AsSpan(0, count)) : default);
            progress?.Report((double)reader.FramesRead / format.SampleRate);
        }
        Keep(resamplers[0].Finish(), kept == 2 ? resamplers[1].Finish() : default);
        writer.Finish();
        return new RecordingIntake(format, (double)reader.FramesRead / format.SampleRate, use, relation, quality.Finish(reader.MendedSamples, reader.Findings), [.. peaks.Select(p => p.Finish())],
            drawn.Finish(), speech?.Finish() ?? []);

        T[] Each<T>(Func<T> make) => [.. Enumerable.Range(0, kept).Select(_ => make())];

        void Keep(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
        {
            if (first.IsEmpty) return;
            peaks[0].Add(first);
            speech?.Add(0, first);
            if (kept == 1)
            {
                writer.Add(first);
                drawn.Add(first);
                return;
            }
            peaks[1].Add(second);
            speech?.Add(1, second);
            if (mean.Length < first.Length) (joined, mean) = (new float[2 * first.Length], new float[first.Length]);
            for (int i = 0; i < first.Length; i++)
            {
                (joined[2 * i], joined[2 * i + 1]) = (first[i], second[i]);
                mean[i] = 0.5f * (first[i] + second[i]);
            }
            writer.Add(joined.AsSpan(0, 2 * first.Length));
            drawn.Add(mean.AsSpan(0, first.Length));
        }
    }

    private static ChannelRelation? Relate(Stream source, IntakeOptions options, CancellationToken cancellation)
    {
        using var reader = SoundReader.Open(source, options.Limits, cancellation);
        if (reader.Format.Channels != 2) return null;
        var meter = new ChannelMeter(reader.Format.SampleRate);
        var block = new float[BlockSamples];
        for (int read; reader.FramesRead < options.SecondsForChannels * reader.Format.SampleRate && (read = reader.Read(block)) > 0;) meter.Add(block.AsSpan(0, read));
        return meter.Finish();
    }

    /// <summary>The network on a thread of its own; the rest waits where it is more than a few blocks ahead.</summary>
    private sealed class SpeechBeside : IDisposable
    {
        // The finder works in bursts of 160 s of sound: with less room than that, the two would wait for each other in turn.
        private readonly BlockingCollection<(int Channel, float[] Rented, int Count)> queue = new(256);
        private readonly SpeechFinder[] finders;
        private readonly List<SpeechSegment> found = [];
        private readonly Task work;
        private volatile bool abandoned;

        public SpeechBeside(SileroVad network, int channels, SegmentOptions options)
        {
            finders = [.. Enumerable.Range(0, channels).Select(c => new SpeechFinder(network, options, c))];
            work = Task.Factory.StartNew(Listen, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        public void Add(int channel, ReadOnlySpan<float> samples)
        {
            var rented = ArrayPool<float>.Shared.Rent(samples.Length);
            samples.CopyTo(rented);
            try { queue.Add((channel, rented, samples.Length)); }
            catch (InvalidOperationException) when (work.IsFaulted || queue.IsAddingCompleted) { work.GetAwaiter().GetResult(); throw; }
        }

        public IReadOnlyList<SpeechSegment> Finish()
        {
            queue.CompleteAdding();
            work.GetAwaiter().GetResult();
            foreach (var finder in finders)
            {
                finder.Finish();
                found.AddRange(finder.Take());
            }
            return [.. found.OrderBy(s => s.Start).ThenBy(s => s.Channel)];
        }

        public void Dispose()
        {
            abandoned = true;
            queue.CompleteAdding();
            ((IAsyncResult)work).AsyncWaitHandle.WaitOne();     // its fault, if any, has been thrown by then, or hides behind the one we leave for
            queue.Dispose();
        }

        private void Listen()
        {
            try
            {
                foreach (var (channel, rented, count) in queue.GetConsumingEnumerable())
                {
                    if (abandoned) return;
                    finders[channel].Add(rented.AsSpan(0, count));
                    found.AddRange(finders[channel].Take());
                    ArrayPool<float>.Shared.Return(rented);
                }
            }
            finally { queue.CompleteAdding(); }     // whoever waits to add is told
        }
    }
}
