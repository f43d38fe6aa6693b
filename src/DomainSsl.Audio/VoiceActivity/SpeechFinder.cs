using System.Numerics.Tensors;

namespace DomainSsl.Audio.VoiceActivity;

/// <summary>
/// Finds the speech in 16 kHz mono given block by block; holds at most some three minutes (10 MB). To be quick, stretches of 20 s go through the network side by side, each after the two
/// seconds before it, in which the network forgets how it was begun; the first stretch is heard as the network's makers mean it. How the sound is cut into blocks makes no difference.
/// </summary>
public sealed class SpeechFinder
{
    private const int Window = SileroVad.Window, Stretches = 8, StretchWindows = 625, Before = 64;

    private readonly SileroVad network;
    private readonly SpeechSegmenter segmenter;
    private float[] buffer = new float[4 * Before * Window];
    private int held = Before * Window;         // silence before the beginning
    private long samples;
    private bool first = true;

    /// <summary>Begins a sound.</summary>
    /// <param name="network">Not disposed.</param>
    /// <param name="options">How speech is cut.</param>
    /// <param name="channel">What the segments are marked with.</param>
    public SpeechFinder(SileroVad network, SegmentOptions? options = null, int channel = 0)
    {
        ArgumentNullException.ThrowIfNull(network);
        this.network = network;
        segmenter = new SpeechSegmenter(options, channel);
    }

    /// <summary>The segments of a whole 16 kHz mono sound, in order.</summary>
    public static IReadOnlyList<SpeechSegment> Find(SileroVad network, ReadOnlySpan<float> samples, SegmentOptions? options = null)
    {
        var finder = new SpeechFinder(network, options);
        finder.Add(samples);
        finder.Finish();
        return [.. finder.Take()];
    }

    /// <summary>Adds samples.</summary>
    public void Add(ReadOnlySpan<float> block)
    {
        const int Full = (Before + Stretches * StretchWindows) * Window;
        samples += block.Length;
        while (!block.IsEmpty)
        {
            int take = Math.Min(block.Length, Full - held);
            if (held + take > buffer.Length) Array.Resize(ref buffer, Math.Min(Full, Math.Max(2 * buffer.Length, held + take)));
            block[..take].CopyTo(buffer.AsSpan(held));
            held += take;
            block = block[take..];
            if (held == Full) Listen(Stretches * StretchWindows);
        }
    }

    /// <summary>Ends the sound.</summary>
    public void Finish()
    {
        int windows = (held - Before * Window + Window - 1) / Window, end = (Before + windows) * Window;
        if (end > buffer.Length) Array.Resize(ref buffer, end);
        buffer.AsSpan(held, end - held).Clear();
        held = end;
        if (windows > 0) Listen(windows);
        segmenter.Finish((double)samples / SileroVad.SampleRate);
    }

    /// <summary>The segments that have been completed since the last call.</summary>
    public IEnumerable<SpeechSegment> Take()
    {
        while (segmenter.TryTake(out var segment)) yield return segment;
    }

    /// <summary>Takes so many windows through the network and the segmenter, and keeps those that the next stretch is to be preceded by.</summary>
    private void Listen(int windows)
    {
        int stretches = (windows + StretchWindows - 1) / StretchWindows;
        var (probabilities, together) = (new float[windows], new float[stretches * Window]);
        using (var voices = network.Listen(stretches))
        {
            for (int step = first && stretches == 1 ? 0 : -Before; step < Math.Min(StretchWindows, windows); step++)
            {
                if (step == 0 && first) voices.Reset(0);
                for (int s = 0; s < stretches; s++)
                {
                    int window = s * StretchWindows + step;
                    var one = together.AsSpan(s * Window, Window);
                    if (window < windows) buffer.AsSpan((Before + window) * Window, Window).CopyTo(one);
                    else one.Clear();
                }
                var answers = voices.Next(together);
                for (int s = 0; s < stretches && step >= 0; s++)
                    if (s * StretchWindows + step < windows) probabilities[s * StretchWindows + step] = answers[s];
            }
        }
        for (int w = 0; w < windows; w++) segmenter.Add(probabilities[w], TensorPrimitives.SumOfSquares<float>(buffer.AsSpan((Before + w) * Window, Window)) / Window);
        buffer.AsSpan(held - Before * Window, Before * Window).CopyTo(buffer);
        held = Before * Window;
        first = false;
    }
}
