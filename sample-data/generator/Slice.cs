namespace DomainSsl.SampleData;

/// <summary>
/// An axial slice of a phantom's chest as a CT would show it, in Hounsfield units. Several slices of a patient lie a little apart and all pass
/// through the finding.
/// </summary>
internal sealed class Slice(ulong seed, string patient, Finding finding, Focus[] foci)
{
    /// <summary>One slice as 12-bit values: Hounsfield units + 1,024.</summary>
    public ushort[] Take(int slice)
    {
        var body = new Randomness(seed, $"{patient}/anatomy");
        var image = new Randomness(seed, $"{patient}/image {slice}");
        double level = body.Uniform(0.2, 0.8) + 0.05 * slice, wide = body.Uniform(0.78, 0.9), deep = wide * body.Uniform(0.62, 0.76),
            fat = body.Uniform(0.04, 0.11);
        double lungAir = body.Normal(-850, 35), contrast = body.Chance(0.5) ? body.Uniform(80, 200) : 0, gravity = body.Uniform(20, 110), spineY = deep - 0.17;
        double heart = 0.14 + 0.16 * level;

        double Ellipse(double x, double y, double cx, double cy, double rx, double ry) => Math.Sqrt(Math.Pow((x - cx) / rx, 2) + Math.Pow((y - cy) / ry, 2));
        double Lung(double x, double y)
        {
            int side = x < 0 ? -1 : 1;
            double centre = side * wide * 0.44, rx = wide * (0.35 + 0.04 * level), ry = deep * (0.74 + 0.06 * level);
            double inside = Canvas.Step(1.03, 0.97, Ellipse(x, y, centre, 0.0, rx, ry)),
                hole = Canvas.Step(0.98, 1.04, Ellipse(x, y, 0.08, -0.07, heart + 0.05, heart + 0.03));
            return inside * hole * Canvas.Step(0.98, 1.04, Ellipse(x, y, 0, spineY - 0.03, 0.14, 0.16));
        }

        var lungs = new Canvas();
        lungs.Add(Lung);
        var hu = new Canvas();
        hu.Add((x, y) =>
        {
            double skin = Ellipse(x, y, 0, 0, wide, deep), muscle = Ellipse(x, y, 0, 0, wide - fat, deep - fat);
            double v = -1000 + 900 * Canvas.Step(1.02, 0.99, skin) + 145 * Canvas.Step(1.02, 0.98, muscle);
            double blood = Canvas.Step(1.04, 0.96, Ellipse(x, y, 0.08, -0.07, heart, heart - 0.02));
            v += blood * (contrast * 0.8);
            v += Canvas.Step(1.1, 0.9, Ellipse(x, y, 0.1, spineY - 0.13, 0.055, 0.055)) * contrast;                                     // aorta
            v += 330 * Canvas.Step(1.05, 0.9, Ellipse(x, y, 0, spineY, 0.1, 0.085))
                + 250 * Canvas.Step(1, 0.6, Ellipse(x, y, 0, spineY + 0.12, 0.035, 0.07));   // spine
            v += 250 * Canvas.Step(1.1, 0.8, Ellipse(x, y, 0, -deep + fat + 0.05, 0.07, 0.025));                                       // breast bone
            return v;
        });
        int ribs = 8 + body.Below(4);
        double start = body.Uniform(0, 6.28);
        for (int r = 0; r < ribs; r++)
        {
            double a = start + 2 * Math.PI * r / ribs + body.Normal(0, 0.08), rx = wide - fat - 0.035, ry = deep - fat - 0.035, cx = rx * Math.Cos(a),
                cy = ry * Math.Sin(a);
            double tx = -rx * Math.Sin(a), ty = ry * Math.Cos(a), n = Math.Sqrt(tx * tx + ty * ty), length = body.Uniform(0.05, 0.13);
            hu.Add((x, y) =>
            {
                double along = ((x - cx) * tx + (y - cy) * ty) / n, across = ((x - cx) * ty - (y - cy) * tx) / n,
                    d = Math.Sqrt(Math.Pow(along / length, 2) + Math.Pow(across / 0.022, 2));
                return 420 * Canvas.Step(1.15, 0.8, d);
            });
        }

        var vessels = Vessels(body, wide, deep, heart, slice);
        var texture = Canvas.Fractal(body, 14, 3);
        var findings = Densities(lungs, wide, deep, heart, level);
        double turn = image.Normal(0, 0.06), scale = image.Uniform(0.98, 1.14), dx = image.Normal(0, 0.03), dy = image.Normal(0, 0.03);
        for (int i = 0; i < hu.Values.Length; i++)
        {
            double y = Canvas.At(i / Canvas.Size), air = lungAir + gravity * y + 22 * texture.Values[i];
            double inside = Math.Max(air + vessels.Values[i], air + findings.Values[i] * (40 - air));
            hu.Values[i] += lungs.Values[i] * (inside - hu.Values[i]);
        }
        var table = new Canvas();
        table.Add((x, y) => 300 * Canvas.Step(0.018, 0.008, Math.Abs(y - deep - 0.06 + 0.1 * x * x)));
        for (int i = 0; i < hu.Values.Length; i++) hu.Values[i] += table.Values[i];

        var posed = hu.Warp((x, y) => ((x - dx) / scale * Math.Cos(turn) + (y - dy) / scale * Math.Sin(turn),
            (y - dy) / scale * Math.Cos(turn) - (x - dx) / scale * Math.Sin(turn)));
        return Read(posed, image);
    }

    private static Canvas Vessels(Randomness body, double wide, double deep, double heart, int slice)
    {
        var canvas = new Canvas();
        double strength = body.Uniform(350, 800);
        foreach (int side in new[] { -1, 1 })
            for (int v = 0; v < 26; v++)
            {
                // A vessel crosses the plane as a dot, or runs along it for a stretch; from slice to slice it wanders.
                double across = body.Uniform(0.05, 1), angle = body.Uniform(-1.3, 1.3), reach = 0.1 + heart + across * (wide * 0.72 - heart - 0.1);
                double x = side * reach * Math.Cos(angle * 0.7) + 0.012 * slice * body.Normal(), y = deep * 0.62 * Math.Sin(angle)
                    + 0.012 * slice * body.Normal();
                double radius = 0.02 * (1.15 - 0.75 * across), along = body.Chance(0.4) ? body.Uniform(0.05, 0.2) : 0;
                canvas.Stroke(x, y, x + side * along * Math.Cos(angle), y + along * Math.Sin(angle), radius, strength * Math.Min(1, radius / 0.015));
            }
        return canvas;
    }

    /// <summary>How much of the air the finding replaces, 0 to 1.</summary>
    private Canvas Densities(Canvas lungs, double wide, double deep, double heart, double level)
    {
        var own = new Randomness(seed, $"{patient}/finding");
        var canvas = new Canvas();
        foreach (var focus in foci)
        {
            double x0 = focus.Side * (heart + 0.14 + focus.Across * 0.8 * (wide * 0.72 - heart - 0.14)), y0 = deep * 0.62 * (2 * focus.Along - 1)
                + 0.02 * level;
            if (finding == Finding.Nodule)
            {
                double radius = 0.045 + 0.035 * focus.Size, strength = 0.55 + 0.35 * focus.Strength, oval = own.Uniform(0.85, 1.18);
                canvas.Max((x, y) => strength * Canvas.Step(1.12, 0.85, Math.Sqrt(Math.Pow((x - x0) * oval, 2) + Math.Pow((y - y0) / oval, 2)) / radius));
                continue;
            }
            double reach = 0.2 + 0.12 * focus.Size, density = 0.34 + 0.25 * focus.Strength, stretch = own.Uniform(0.75, 1.3);
            var (patches, edge) = (Canvas.Fractal(own, 22, 3, 0.7), Canvas.Fractal(own, 6, 2));
            for (int row = 0, i = 0; row < Canvas.Size; row++)
                for (int column = 0; column < Canvas.Size; column++, i++)
                {
                    double r = Math.Sqrt(Math.Pow((Canvas.At(column) - x0) * stretch, 2) + Math.Pow((Canvas.At(row) - y0) / stretch, 2)) / reach
                        + 0.14 * edge.Values[i];
                    double here = density * lungs.Values[i] * Canvas.Step(1.1, 0.4, r) * Math.Max(0.1, 1 + 0.75 * patches.Values[i]);
                    canvas.Values[i] = Math.Min(0.95, Math.Max(canvas.Values[i], here));
                }
        }
        return canvas;
    }

    private static ushort[] Read(Canvas hu, Randomness image)
    {
        double noise = Math.Exp(image.Uniform(Math.Log(18), Math.Log(75))), offset = image.Normal(0, 8);
        var raw = new Canvas();
        for (int i = 0; i < raw.Values.Length; i++) raw.Values[i] = image.Normal();
        var soft = raw.Blur(0.8);
        bool sharp = image.Chance(0.5);         // the kernel of the reconstruction: sharp and grainy, or soft and blotchy
        var seen = sharp ? hu : hu.Blur(0.7);
        var pixels = new ushort[raw.Values.Length];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (ushort)Math.Clamp(Math.Round(1024 + seen.Values[i] + offset + noise * (sharp ? raw.Values[i] : 2.2 * soft.Values[i])), 0, 4095);
        return pixels;
    }
}
