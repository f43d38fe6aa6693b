namespace DomainSsl.Audio.Quality;

/// <summary>What to do with the channels of a recording.</summary>
public enum ChannelUse
{
    /// <summary>One voice field: the mean of the channels.</summary>
    Mean,

    /// <summary>Two speakers, one a channel: keep them apart.</summary>
    Apart,

    /// <summary>The left channel only: the other is silent, or is this one turned over.</summary>
    Left,

    /// <summary>The right channel only: the other is silent.</summary>
    Right,
}

/// <summary>How two channels relate.</summary>
/// <param name="Use">What to do with them.</param>
/// <param name="Correlation">Of the two waves without delay, −1 to 1.</param>
/// <param name="LeftAlone">Share of the windows with sound in which the left stands out by 10 dB.</param>
/// <param name="RightAlone">The same of the right.</param>
public sealed record ChannelRelation(ChannelUse Use, double Correlation, double LeftAlone, double RightAlone);

/// <summary>
/// Tells whether the channels of a stereo recording are two speakers (a telephone call, two headsets) or one room: two speakers take turns, so each channel has stretches
/// in which it alone is loud, and the waves have little in common. One pass; two bytes for each 30 ms.
/// </summary>
public sealed class ChannelMeter
{
    // A voice on the other's microphone is some 12 dB weaker, which alone makes a correlation of 0.47; a room's two microphones differ by a few decibels only.
    private const double AloneDb = 10, ActiveDb = 9, HeardDb = 35, SilentDb = -60, MuchWeakerDb = 30, LowCorrelation = 0.6, MinAlone = 0.1, MinTurns = 0.6, OppositeCorrelation = -0.95;
    private const double MinActiveSeconds = 2, WindowSeconds = 0.03;

    private readonly int window;
    private readonly List<byte> left = [], right = [];
    private double ll, rr, lr, windowLl, windowRr;
    private int inWindow;

    /// <summary>Begins; the rate in Hz.</summary>
    public ChannelMeter(int rate) => window = Math.Max(1, (int)(rate * WindowSeconds));

    /// <summary>Adds whole frames, left and right interleaved.</summary>
    public void Add(ReadOnlySpan<float> interleaved)
    {
        while (!interleaved.IsEmpty)
        {
            int take = Math.Min(window - inWindow, interleaved.Length / 2);
            float a = 0, b = 0, ab = 0;
            for (int i = 0; i < 2 * take; i += 2)
            {
                float l = interleaved[i], r = interleaved[i + 1];
                a += l * l;
                b += r * r;
                ab += l * r;
            }
            windowLl += a;
            windowRr += b;
            lr += ab;
            interleaved = interleaved[(2 * take)..];
            if ((inWindow += take) == window) Close();
        }
    }

    /// <summary>The relation over all that was added.</summary>
    public ChannelRelation Finish()
    {
        if (inWindow > 0) Close();
        double correlation = ll > 0 && rr > 0 ? lr / Math.Sqrt(ll * rr) : 0;
        var (leftLevel, leftFloor) = Levels(left);
        var (rightLevel, rightFloor) = Levels(right);
        int active = 0, leftAlone = 0, rightAlone = 0;
        for (int i = 0; i < left.Count; i++)
        {
            // Each against its own loudness, so that a quiet microphone counts as much.
            double l = Db(left[i]) - leftLevel, r = Db(right[i]) - rightLevel;
            bool leftActive = Active(Db(left[i]), leftLevel, leftFloor), rightActive = Active(Db(right[i]), rightLevel, rightFloor);
            if (!leftActive && !rightActive) continue;
            active++;
            if (leftActive && l - r >= AloneDb) leftAlone++;
            else if (rightActive && r - l >= AloneDb) rightAlone++;
        }
        double leftShare = active > 0 ? (double)leftAlone / active : 0, rightShare = active > 0 ? (double)rightAlone / active : 0;
        var use = rightLevel < SilentDb && leftLevel >= SilentDb || rightLevel < leftLevel - MuchWeakerDb ? ChannelUse.Left
            : leftLevel < SilentDb && rightLevel >= SilentDb || leftLevel < rightLevel - MuchWeakerDb ? ChannelUse.Right
            : correlation <= OppositeCorrelation ? ChannelUse.Left
            : active * WindowSeconds >= MinActiveSeconds && correlation <= LowCorrelation && leftShare >= MinAlone && rightShare >= MinAlone && leftShare + rightShare >= MinTurns ? ChannelUse.Apart
            : ChannelUse.Mean;
        return new ChannelRelation(use, correlation, leftShare, rightShare);
    }

    private static bool Active(double db, double level, double floor) => db >= SilentDb && db > floor + ActiveDb && db > level - HeardDb;

    private void Close()
    {
        left.Add(Step(windowLl / inWindow));
        right.Add(Step(windowRr / inWindow));
        ll += windowLl;
        rr += windowRr;
        (windowLl, windowRr, inWindow) = (0, 0, 0);
    }

    private static byte Step(double power) => (byte)Math.Clamp(2 * (10 * Math.Log10(power + 1e-12) + 100), 0, 255);

    private static double Db(byte step) => step / 2.0 - 100;

    /// <summary>The level that a twentieth of the windows exceed, and the one that a tenth stay below.</summary>
    private static (double Level, double Floor) Levels(List<byte> steps)
    {
        Span<int> counts = stackalloc int[256];
        foreach (byte step in steps) counts[step]++;
        return (At(counts, 0.95), At(counts, 0.1));

        double At(Span<int> counts, double share)
        {
            int below = 0, step = 0;
            while (step < 255 && (below += counts[step]) < share * steps.Count) step++;
            return Db((byte)step);
        }
    }
}
