using System.Numerics.Tensors;

namespace DomainSsl.Audio.VoiceActivity;

/// <summary>Finds the speech in 16 kHz mono given block by block. Memory does not grow with the sound.</summary>
public sealed class SpeechFinder : IDisposable
{
    private readonly SileroVad.Voice voice;
    private readonly SpeechSegmenter segmenter;
    private readonly float[] window = new float[SileroVad.Window];
    private int held;
    private long samples;

    /// <summary>Begins a sound.</summary>
    /// <param name="network">Not disposed.</param>
    /// <param name="options">How speech is cut.</param>
    /// <param name="channel">What the segments are marked with.</param>
    public SpeechFinder(SileroVad network, SegmentOptions? options = null, int channel = 0)
    {
        ArgumentNullException.ThrowIfNull(network);
        segmenter = new SpeechSegmenter(options, channel);
        voice = network.Listen();
    }

    /// <summary>The segments of a whole 16 kHz mono sound, in order.</summary>
    public static IReadOnlyList<SpeechSegment> Find(SileroVad network, ReadOnlySpan<float> samples, SegmentOptions? options = null)
    {
        using var finder = new SpeechFinder(network, options);
        finder.Add(samples);
        finder.Finish();
        return [.. finder.Take()];
    }

    /// <summary>Adds samples.</summary>
    public void Add(ReadOnlySpan<float> block)
    {
        samples += block.Length;
        while (!block.IsEmpty)
        {
            int take = Math.Min(block.Length, window.Length - held);
            block[..take].CopyTo(window.AsSpan(held));
            held += take;
            block = block[take..];
            if (held == window.Length) Window();
        }
    }

    /// <summary>Ends the sound.</summary>
    public void Finish()
    {
        if (held > 0)
        {
            window.AsSpan(held).Clear();
            Window();
        }
        segmenter.Finish((double)samples / SileroVad.SampleRate);
    }

    /// <summary>The segments that have been completed since the last call.</summary>
    public IEnumerable<SpeechSegment> Take()
    {
        while (segmenter.TryTake(out var segment)) yield return segment;
    }

    /// <inheritdoc />
    public void Dispose() => voice.Dispose();

    private void Window()
    {
        segmenter.Add(voice.Next(window), TensorPrimitives.SumOfSquares<float>(window) / window.Length);
        held = 0;
    }
}
