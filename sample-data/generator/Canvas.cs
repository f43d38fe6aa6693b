namespace DomainSsl.SampleData;

/// <summary>A square plane of doubles and the strokes that anatomy is made of. Coordinates run from −1 to 1, x to the right, y downwards.</summary>
internal sealed class Canvas
{
    public const int Size = 160;

    public double[] Values { get; } = new double[Size * Size];

    /// <summary>Coordinate of a pixel's centre.</summary>
    public static double At(int pixel) => (2.0 * pixel + 1) / Size - 1;

    /// <summary>Adds a function of the place to every pixel.</summary>
    public void Add(Func<double, double, double> f)
    {
        for (int row = 0, i = 0; row < Size; row++)
            for (int column = 0; column < Size; column++, i++)
                Values[i] += f(At(column), At(row));
    }

    /// <summary>Keeps the larger of what is there and a function of the place.</summary>
    public void Max(Func<double, double, double> f)
    {
        for (int row = 0, i = 0; row < Size; row++)
            for (int column = 0; column < Size; column++, i++)
                Values[i] = Math.Max(Values[i], f(At(column), At(row)));
    }

    /// <summary>A new canvas whose pixel at (x, y) shows this one at <paramref name="place"/>(x, y), bilinear, the border continued.</summary>
    public Canvas Warp(Func<double, double, (double X, double Y)> place)
    {
        var warped = new Canvas();
        for (int row = 0, i = 0; row < Size; row++)
            for (int column = 0; column < Size; column++, i++)
            {
                var (x, y) = place(At(column), At(row));
                warped.Values[i] = Sample(x, y);
            }
        return warped;
    }

    public double Sample(double x, double y)
    {
        double c = Math.Clamp((x + 1) * Size / 2 - 0.5, 0, Size - 1.001), r = Math.Clamp((y + 1) * Size / 2 - 0.5, 0, Size - 1.001);
        int c0 = (int)c, r0 = (int)r, i = r0 * Size + c0;
        double fc = c - c0, fr = r - r0;
        return (Values[i] * (1 - fc) + Values[i + 1] * fc) * (1 - fr) + (Values[i + Size] * (1 - fc) + Values[i + Size + 1] * fc) * fr;
    }

    /// <summary>A stroke of round profile from one place to the next, never brighter where it crosses itself.</summary>
    public void Stroke(double x0, double y0, double x1, double y1, double radius, double value)
    {
        double length = Math.Sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0));
        int steps = 1 + (int)(length / (radius * 0.5));
        for (int s = 0; s <= steps; s++) Dot(x0 + (x1 - x0) * s / steps, y0 + (y1 - y0) * s / steps, radius, value);
    }

    /// <summary>A round spot: its value at the middle, none at a distance of twice the radius; the larger of old and new stays.</summary>
    public void Dot(double x, double y, double radius, double value)
    {
        int reach = 1 + (int)(2.2 * radius * Size / 2), column = (int)((x + 1) * Size / 2), row = (int)((y + 1) * Size / 2);
        for (int r = Math.Max(0, row - reach); r <= Math.Min(Size - 1, row + reach); r++)
            for (int c = Math.Max(0, column - reach); c <= Math.Min(Size - 1, column + reach); c++)
            {
                double dx = At(c) - x, dy = At(r) - y, v = value * Math.Exp(-(dx * dx + dy * dy) / (radius * radius));
                if (v > Values[r * Size + c]) Values[r * Size + c] = v;
            }
    }

    /// <summary>A Gaussian blur, its deviation in pixels, by three box blurs.</summary>
    public Canvas Blur(double deviation)
    {
        var result = new Canvas();
        Array.Copy(Values, result.Values, Values.Length);
        int half = Math.Max(1, (int)Math.Round((Math.Sqrt(4 * deviation * deviation + 1) - 1) / 2));
        for (int pass = 0; pass < 3; pass++)
        {
            Box(result.Values, 1, Size, half);
            Box(result.Values, Size, 1, half);
        }
        return result;
    }

    private static void Box(double[] v, int step, int line, int half)
    {
        var copy = new double[Size];
        for (int l = 0; l < Size; l++)
        {
            for (int i = 0; i < Size; i++) copy[i] = v[l * line + i * step];
            for (int i = 0; i < Size; i++)
            {
                double sum = 0;
                for (int k = -half; k <= half; k++) sum += copy[Math.Clamp(i + k, 0, Size - 1)];
                v[l * line + i * step] = sum / (2 * half + 1);
            }
        }
    }

    /// <summary>
    /// Fractal noise of mean 0 and deviation about 1: octaves of smoothed lattice noise, the coarsest with <paramref name="cells"/> cells across.
    /// </summary>
    public static Canvas Fractal(Randomness random, double cells, int octaves, double persistence = 0.6)
    {
        var canvas = new Canvas();
        double amplitude = 1, power = 0;
        for (int o = 0; o < octaves; o++, amplitude *= persistence, cells *= 2)
        {
            int n = (int)Math.Ceiling(cells) + 2;
            var lattice = new double[n * n];
            for (int i = 0; i < lattice.Length; i++) lattice[i] = random.Normal();
            double scale = cells / 2, weight = amplitude;
            canvas.Add((x, y) =>
            {
                double u = (x + 1) * scale, v = (y + 1) * scale;
                int iu = (int)u, iv = (int)v;
                double fu = Smooth(u - iu), fv = Smooth(v - iv);
                int k = iv * n + iu;
                return weight * ((lattice[k] * (1 - fu) + lattice[k + 1] * fu) * (1 - fv) + (lattice[k + n] * (1 - fu) + lattice[k + n + 1] * fu) * fv);
            });
            power += 0.45 * amplitude * amplitude;
        }
        for (int i = 0; i < canvas.Values.Length; i++) canvas.Values[i] /= Math.Sqrt(power);
        return canvas;
    }

    /// <summary>0 below <paramref name="from"/>, 1 above <paramref name="to"/>, smooth between; also with from &gt; to.</summary>
    public static double Step(double from, double to, double x) => Smooth(Math.Clamp((x - from) / (to - from), 0, 1));

    private static double Smooth(double t) => t * t * (3 - 2 * t);
}
