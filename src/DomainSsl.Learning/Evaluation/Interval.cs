namespace DomainSsl.Learning.Evaluation;

/// <summary>A figure with the ends of its 95 % interval.</summary>
public readonly record struct Interval(double Value, double Low, double High)
{
    /// <summary>Whether the whole interval lies above <paramref name="x"/>.</summary>
    public bool Above(double x) => Low > x;

    /// <summary>Whether the whole interval lies below <paramref name="x"/>.</summary>
    public bool Below(double x) => High < x;

    /// <summary>Whether <paramref name="x"/> lies in the interval, ends included.</summary>
    public bool Covers(double x) => Low <= x && x <= High;

    /// <summary>The figure as people read it, e.g. <c>0.93 (0.90 to 0.96)</c>: never more digits than the interval's width supports.</summary>
    public override string ToString()
    {
        var digits = Digits;
        return $"{Value.ToString("F" + digits)} ({Low.ToString("F" + digits)} to {High.ToString("F" + digits)})";
    }

    /// <summary>Decimals worth showing: three where the interval is narrower than 0.1, else two.</summary>
    public int Digits => High - Low < 0.1 ? 3 : 2;
}
