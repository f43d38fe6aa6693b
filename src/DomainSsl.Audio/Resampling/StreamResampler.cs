using System.Numerics.Tensors;

namespace DomainSsl.Audio.Resampling;

/// <summary>
/// One channel to another rate, block by block: the blocks put together are what <see cref="Resampler.Resample"/> gives for the whole. Keeps one filter's length of the past.
/// </summary>
public sealed class StreamResampler
{
    private readonly Resampler resampler;
    private readonly float[] scratch;
    private float[] window;         // input from position `first` on, silence before the sound's beginning included
    private float[] output = [];
    private long first, received, produced;
    private int held;
    private bool finished;

    /// <summary>A resampler from one rate to another, both in Hz.</summary>
    public StreamResampler(int fromRate, int toRate)
    {
        resampler = new Resampler(fromRate, toRate);
        scratch = new float[resampler.Taps];
        held = resampler.Taps / 2 - 1;
        first = -held;
        window = new float[Math.Max(held, 1)];
    }

    /// <summary>Takes the next input samples and gives those output samples that they complete; valid until the next call.</summary>
    public ReadOnlySpan<float> Add(ReadOnlySpan<float> input)
    {
        if (finished) throw new InvalidOperationException("The sound has been finished; begin a new one.");
        received += input.Length;
        if (resampler.Up == resampler.Down)
        {
            produced += input.Length;
            return input;
        }
        Append(input);
        return Produce(long.MaxValue);
    }

    /// <summary>The last samples, for which the sound is taken to go on as silence. In all there are round(n·to/from), at least one where anything was added.</summary>
    public ReadOnlySpan<float> Finish()
    {
        if (finished) throw new InvalidOperationException("The sound has been finished; begin a new one.");
        finished = true;
        if (resampler.Up == resampler.Down || received == 0) return [];
        Append(new float[resampler.Taps + resampler.Down / resampler.Up + 1]);
        return Produce(Math.Max(1, (long)Math.Round((double)received * resampler.Up / resampler.Down)));
    }

    private void Append(ReadOnlySpan<float> input)
    {
        if (held + input.Length > window.Length) Array.Resize(ref window, Math.Max(2 * window.Length, held + input.Length));
        input.CopyTo(window.AsSpan(held));
        held += input.Length;
    }

    private ReadOnlySpan<float> Produce(long total)
    {
        int count = 0;
        int room = (int)((long)held * resampler.Up / resampler.Down) + 2;
        if (output.Length < room) output = new float[room];
        while (produced < total)
        {
            long position = produced * resampler.Down;
            long from = position / resampler.Up - resampler.Taps / 2 + 1 - first;
            if (from + resampler.Taps > held) break;
            output[count++] = TensorPrimitives.Dot<float>(window.AsSpan((int)from, resampler.Taps), resampler.FilterAt((int)(position % resampler.Up), scratch));
            produced++;
        }
        int past = (int)Math.Min(held, Math.Max(0, produced * resampler.Down / resampler.Up - resampler.Taps / 2 + 1 - first));
        window.AsSpan(past, held - past).CopyTo(window);
        held -= past;
        first += past;
        return output.AsSpan(0, count);
    }
}
