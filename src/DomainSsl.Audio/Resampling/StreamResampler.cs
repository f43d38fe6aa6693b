using System.Numerics.Tensors;

namespace DomainSsl.Audio.Resampling;

/// <summary>
/// One channel to another rate, block by block: the blocks put together are what <see cref="Resampler.Resample"/> gives for the whole. Keeps one filter's length of the past.
/// </summary>
public sealed class StreamResampler
{
    private readonly Resampler resampler;
    private readonly float[] scratch;
    private float[] window;
    private float[] output = [];
    private long received, produced;
    private int held, at, phase;        // the next output is the product of the window from `at` on with the filter of `phase`
    private bool finished;

    /// <summary>A resampler from one rate to another, both in Hz.</summary>
    public StreamResampler(int fromRate, int toRate)
    {
        resampler = new Resampler(fromRate, toRate);
        scratch = new float[resampler.Taps];
        held = resampler.Taps / 2 - 1;      // silence before the beginning
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
        int taps = resampler.Taps, step = resampler.Down / resampler.Up, rest = resampler.Down % resampler.Up;
        for (; produced < total && at + taps <= held; produced++)
        {
            output[count++] = TensorPrimitives.Dot<float>(window.AsSpan(at, taps), resampler.FilterAt(phase, scratch));
            at += step;
            if ((phase += rest) < resampler.Up) continue;
            phase -= resampler.Up;
            at++;
        }
        int past = Math.Min(held, at);
        window.AsSpan(past, held - past).CopyTo(window);
        held -= past;
        at -= past;
        return output.AsSpan(0, count);
    }
}
