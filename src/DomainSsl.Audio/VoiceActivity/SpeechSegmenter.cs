namespace DomainSsl.Audio.VoiceActivity;

/// <summary>A stretch of speech.</summary>
/// <param name="Start">Seconds from the beginning.</param>
/// <param name="End">Seconds from the beginning.</param>
/// <param name="Probability">Mean probability of speech in it, 0 to 1.</param>
/// <param name="Channel">The channel it is on; 0 where there is one.</param>
public sealed record SpeechSegment(double Start, double End, float Probability, int Channel = 0);

/// <summary>How speech is cut into segments.</summary>
public sealed record SegmentOptions
{
    /// <summary>The default options.</summary>
    public static SegmentOptions Default { get; } = new();

    /// <summary>Speech begins at this probability. Default 0.5, as in Silero's own examples.</summary>
    public float Onset { get; init; } = 0.5f;

    /// <summary>Speech ends below this one; lower than <see cref="Onset"/>, so that a wavering voice is not chopped. Default 0.35, from the same.</summary>
    public float Offset { get; init; } = 0.35f;

    /// <summary>Shorter speech is dropped as a click or a breath, seconds. Default 0.25.</summary>
    public double MinSpeech { get; init; } = 0.25;

    /// <summary>A shorter pause does not part segments, seconds. Default 0.4: between phrases, not within words.</summary>
    public double MinPause { get; init; } = 0.4;

    /// <summary>Silence kept on both sides, seconds, at most half of <see cref="MinPause"/>: soft beginnings and endings lie in it. Default 0.15.</summary>
    public double Padding { get; init; } = 0.15;

    /// <summary>Longest segment with its padding, seconds; longer speech is cut at its quietest place in the second half. Default 15, what a transcriber is trained on.</summary>
    public double MaxSpeech { get; init; } = 15;
}

/// <summary>Turns probabilities and levels of windows into segments, as they come; segments do not overlap and none is longer than allowed. Keeps one segment's windows.</summary>
public sealed class SpeechSegmenter
{
    private const double WindowSeconds = (double)SileroVad.Window / SileroVad.SampleRate;

    private readonly SegmentOptions options;
    private readonly int channel, longest, pause;
    private readonly List<(float Probability, double Power)> open = [];      // from the segment's beginning on
    private readonly Queue<SpeechSegment> ready = new();
    private long next, start;
    private int voiced;      // windows of `open` up to the last voiced one
    private bool voice, continues;

    /// <summary>Begins.</summary>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public SpeechSegmenter(SegmentOptions? options = null, int channel = 0)
    {
        this.options = options ?? SegmentOptions.Default;
        var o = this.options;
        if (!(o.Offset > 0 && o.Offset <= o.Onset && o.Onset < 1)) throw new ArgumentException("Offset must lie above 0 and not above onset, and onset below 1.", nameof(options));
        if (!(o.Padding >= 0 && o.Padding <= o.MinPause / 2 && o.MinPause >= WindowSeconds)) throw new ArgumentException("Padding must be at most half of the shortest pause.", nameof(options));
        if (!(o.MinSpeech >= 0 && o.MaxSpeech >= Math.Max(1, 2 * (o.MinSpeech + o.Padding)))) throw new ArgumentException("The longest segment must be at least a second, and twice the shortest with its padding.", nameof(options));
        this.channel = channel;
        longest = (int)((o.MaxSpeech - 2 * o.Padding) / WindowSeconds);
        pause = Math.Max(1, (int)Math.Round(o.MinPause / WindowSeconds));
    }

    /// <summary>Adds the next window.</summary>
    /// <param name="probability">That it is speech.</param>
    /// <param name="power">Its mean square, to find quiet places by.</param>
    public void Add(float probability, double power)
    {
        voice = probability >= options.Onset || (voice && probability >= options.Offset);
        if (open.Count > 0 || voice)
        {
            if (open.Count == 0) start = next;
            open.Add((probability, power));
            if (voice) voiced = open.Count;
            if (open.Count - voiced >= pause) Close(voiced);
            else if (voiced > longest) Cut();
        }
        next++;
    }

    /// <summary>The next segment that is complete; false where there is none yet.</summary>
    public bool TryTake(out SpeechSegment segment) => ready.TryDequeue(out segment!);

    /// <summary>Ends the sound.</summary>
    /// <param name="seconds">Its length: no segment reaches beyond.</param>
    public void Finish(double seconds)
    {
        if (open.Count > 0) Close(voiced, seconds);
    }

    private void Close(int windows, double seconds = double.MaxValue)
    {
        double length = windows * WindowSeconds;
        // What follows a cut is the rest of long speech, however short.
        if (windows > 0 && (continues || length >= options.MinSpeech)) Emit(windows, padStart: !continues, padEnd: true, seconds);
        open.Clear();
        (voiced, voice, continues) = (0, false, false);
    }

    /// <summary>Parts speech that is too long where the mean power of three windows (96 ms) is least, in the second half of what is allowed.</summary>
    private void Cut()
    {
        int at = longest;
        double least = double.MaxValue;
        for (int i = longest / 2; i <= longest; i++)
        {
            double power = open[i - 1].Power + open[i].Power + (i + 1 < open.Count ? open[i + 1].Power : open[i].Power);
            if (power < least) (least, at) = (power, i);
        }
        Emit(at, padStart: !continues, padEnd: false, double.MaxValue);
        open.RemoveRange(0, at);
        start += at;
        voiced -= at;
        continues = true;
    }

    private void Emit(int windows, bool padStart, bool padEnd, double seconds)
    {
        double from = start * WindowSeconds, to = from + windows * WindowSeconds, sum = 0;
        for (int i = 0; i < windows; i++) sum += open[i].Probability;
        ready.Enqueue(new SpeechSegment(Math.Max(0, padStart ? from - options.Padding : from), Math.Min(seconds, padEnd ? to + options.Padding : to), (float)(sum / windows), channel));
    }
}
