namespace DomainSsl.SampleData;

/// <summary>
/// A chest radiograph of a phantom, seen from the front. The attenuation along each ray is summed from body, lungs, heart, bones, vessels, devices and the
/// finding; from it follow the primary beam (Beer and Lambert), the scatter, the photons' noise, and the logarithmic reading of a storage plate.
/// </summary>
internal sealed class Radiograph(ulong seed, string patient, Finding finding, Focus[] foci)
{
    /// <summary>The image of one examination as 12-bit values, bright where much is absorbed.</summary>
    public ushort[] Take(int examination)
    {
        var body = new Randomness(seed, $"{patient}/anatomy");
        var image = new Randomness(seed, $"{patient}/image {examination}");
        var anatomy = Anatomy(body, image);
        double turn = image.Normal(0, 0.05), scale = image.Uniform(0.88, 1.1), dx = image.Normal(0, 0.05), dy = image.Normal(0, 0.05),
            lean = image.Normal(0, 0.04);
        var posed = anatomy.Warp((x, y) =>
        {
            double u = (x - dx) / scale, v = (y - dy) / scale;
            return (u * Math.Cos(turn) + v * Math.Sin(turn) + lean * v * v, v * Math.Cos(turn) - u * Math.Sin(turn));
        });
        return Expose(posed, image);
    }

    private Canvas Anatomy(Randomness body, Randomness image)
    {
        double wide = body.Uniform(0.74, 0.9), lungWide = wide * body.Uniform(0.8, 0.88), apex = body.Uniform(-0.82, -0.68), heart = body.Uniform(0.22, 0.38);
        double middle = body.Uniform(0.10, 0.16), fat = body.Uniform(0.8, 1.35), asymmetry = body.Normal(0, 0.04);
        double breath = image.Normal(0, 0.06), bottom = body.Uniform(0.38, 0.58) + breath, dome = body.Uniform(0.10, 0.2);
        double haze = body.Chance(0.5) ? body.Uniform(0.1, 0.3) : 0, hazeY = body.Uniform(0.1, 0.4);

        double Outer(double t) => lungWide * Math.Pow(1 - Math.Pow(1 - Math.Clamp(t, 0, 1), 2.4), 1 / 2.4) * (0.9 + 0.1 * t);
        double Inner(double x, double t) => middle + (x > 0 ? heart * 0.85 : heart * 0.28) * Canvas.Step(0.35, 0.8, t) * (1 - 0.4 * Canvas.Step(0.85, 1, t));
        double Base(double x) => bottom + (x < 0 ? -0.04 : 0) + asymmetry * Math.Sign(x) + dome * (Math.Pow((Math.Abs(x) - 0.36) / 0.4, 2) - 0.5);
        double T(double y) => (y - apex) / (bottom + 0.1 - apex);
        double Lung(double x, double y)
        {
            double t = T(y), ax = Math.Abs(x);
            return Canvas.Step(-0.02, 0.03, Outer(t) - ax) * Canvas.Step(-0.02, 0.03, ax - Inner(x, t))
                * Canvas.Step(-0.03, 0.03, Base(x) - y) * Canvas.Step(0, 0.04, t);
        }

        var lungs = new Canvas();
        lungs.Add(Lung);
        var canvas = new Canvas();
        canvas.Add((x, y) =>
        {
            double half = wide * (1 + 0.1 * y) + 0.9 * Canvas.Step(-0.62, -1.0, y), edge = Canvas.Step(0, 0.12, half - Math.Abs(x));
            double depth = Math.Sqrt(Math.Max(0, 1 - Math.Pow(Math.Abs(x) / (half + 0.02), 2.5)));
            return edge * fat * (0.9 + 1.0 * depth);
        });
        canvas.Add((x, y) => 0.75 * Math.Exp(-Math.Pow(x / (middle * 0.9), 4)));                                                        // mediastinum
        canvas.Add((x, y) => 0.5 * Canvas.Step(1.15, 0.7, Math.Sqrt(Math.Pow((x - 0.13) / (heart + 0.06), 2)
            + Math.Pow((y - bottom + 0.24) / 0.3, 2))));   // heart
        canvas.Add((x, y) => 0.8 * Canvas.Step(-0.04, 0.1, y - Base(x)) * Canvas.Step(0, 0.2, wide - Math.Abs(x)));                    // abdomen
        canvas.Add((x, y) => Math.Exp(-Math.Pow(x / 0.075, 4)) * (0.35 + 0.1 * Math.Cos(2 * Math.PI * y / 0.15)));                    // spine
        if (haze > 0)
            canvas.Add((x, y) => haze * Canvas.Step(1, 0.75,
                Math.Sqrt(Math.Pow((Math.Abs(x) - 0.42) / 0.34, 2) + Math.Pow((y - hazeY) / 0.3, 2))));   // soft tissue in front

        AddBones(canvas, body, wide, apex);
        var vessels = Vessels(body, bottom, middle);
        var texture = Canvas.Fractal(body, 12, 3);
        for (int i = 0; i < canvas.Values.Length; i++)
            canvas.Values[i] += lungs.Values[i] * (-1.05 * Math.Min(fat, 1.15) + vessels.Values[i] + 0.035 * texture.Values[i]);
        AddFinding(canvas, lungs, t => apex + t * (bottom + 0.05 - apex), Outer, Inner);
        AddDevices(canvas, body, image);
        return canvas;
    }

    private static void AddBones(Canvas canvas, Randomness body, double wide, double apex)
    {
        double spacing = body.Uniform(0.135, 0.175), slope = body.Uniform(0.1, 0.4), thick = body.Uniform(0.022, 0.034), contrast = body.Uniform(0.1, 0.28);
        for (int k = 0; k < 10; k++)
        {
            double start = apex - 0.02 + k * spacing + body.Normal(0, 0.008), bend = body.Uniform(0.35, 0.5), own = contrast * body.Uniform(0.8, 1.2);
            double tilt = body.Normal(0, 0.02);
            canvas.Add((x, y) =>                                                // behind: rises from the spine and falls to the side; cortex brighter than marrow
            {
                double a = Math.Abs(x), path = start + slope * (a - bend) * (a - bend) / 0.3 + tilt * Math.Sign(x), d = Math.Abs(y - path) / thick;
                if (d > 1.4) return 0;
                return own * Canvas.Step(0.05, 0.12, a) * Canvas.Step(0, 0.06, wide * 0.94 - a) * Canvas.Step(1.4, 0.9, d) * (0.7 + 0.5 * Canvas.Step(0.3, 0.9, d));
            });
            double front = start + spacing * 1.6, faint = own * 0.55;
            canvas.Add((x, y) =>                                                // in front: fainter, falls towards the middle
            {
                double a = Math.Abs(x), path = front + 0.75 * (wide * 0.9 - a), d = Math.Abs(y - path) / (thick * 1.2);
                return d > 1.4 ? 0 : faint * Canvas.Step(0.22, 0.34, a) * Canvas.Step(0, 0.06, wide * 0.94 - a) * Canvas.Step(1.4, 0.7, d);
            });
        }
        double collar = apex + body.Uniform(0.02, 0.12), rise = body.Uniform(0.15, 0.4);
        canvas.Add((x, y) => Math.Abs(x) is > 0.08 and < 0.75
            ? contrast * 1.5 * Canvas.Step(1.3, 0.8, Math.Abs(y - collar + rise * (Math.Abs(x) - 0.1) - 0.05 * Math.Sin(7 * x)) / 0.03)
                : 0);     // collar bones
    }

    /// <summary>
    /// Vessels: random walks that start at the root of each lung, fork and thin out. Seen end-on they are small bright dots: what a nodule is
    /// mistaken for.
    /// </summary>
    private static Canvas Vessels(Randomness body, double bottom, double middle)
    {
        var canvas = new Canvas();
        double strength = body.Uniform(0.12, 0.3);
        foreach (int side in new[] { -1, 1 })
        {
            double hilum = body.Uniform(-0.2, -0.05);
            for (int branch = 0; branch < 11; branch++)
                Grow(side * (middle + 0.06), hilum + body.Normal(0, 0.04), Math.PI * (branch / 10.0 - 0.5) * 0.95 + body.Normal(0, 0.12), 0.024, side, 0);
            for (int dot = 0; dot < 4; dot++)
                canvas.Dot(side * body.Uniform(0.22, 0.6), body.Uniform(-0.5, bottom - 0.1), body.Uniform(0.011, 0.018), strength * body.Uniform(0.9, 1.5));
        }
        return canvas;

        void Grow(double x, double y, double angle, double radius, int side, int depth)
        {
            for (int step = 0; step < 14 && radius > 0.006; step++)
            {
                double nx = x + side * 0.035 * Math.Cos(angle), ny = y + 0.035 * Math.Sin(angle);
                canvas.Stroke(x, y, nx, ny, radius, strength * Math.Min(1, radius / 0.018));
                (x, y) = (nx, ny);
                angle += body.Normal(0, 0.13);
                radius *= 0.93;
                if (depth < 3 && body.Chance(0.17)) Grow(x, y, angle + (body.Chance(0.5) ? 0.55 : -0.55), radius * 0.75, side, depth + 1);
            }
        }
    }

    private void AddFinding(Canvas canvas, Canvas lungs, Func<double, double> height, Func<double, double> outer, Func<double, double, double> inner)
    {
        var own = new Randomness(seed, $"{patient}/finding");
        var spots = new Canvas();
        foreach (var focus in foci)
        {
            double y0 = height(focus.Along), from = inner(focus.Side, focus.Along), x0 = focus.Side * (from + focus.Across * (outer(focus.Along) - from));
            if (finding == Finding.Nodule)
            {
                double radius = 0.05 + 0.04 * focus.Size, strength = 0.48 + 0.3 * focus.Strength, oval = own.Uniform(0.85, 1.18), phase = own.Uniform(0, 6.28);
                spots.Max((x, y) =>
                {
                    double dx = (x - x0) * oval, dy = (y - y0) / oval,
                        r = Math.Sqrt(dx * dx + dy * dy) / (radius * (1 + 0.06 * Math.Cos(3 * Math.Atan2(dy, dx) + phase)));
                    return r < 1 ? strength * Math.Pow(1 - r * r, 0.4) : 0;
                });
                continue;
            }
            double reach = 0.24 + 0.14 * focus.Size, density = 0.32 + 0.22 * focus.Strength, stretch = own.Uniform(0.75, 1.3);
            var (patches, edge) = (Canvas.Fractal(own, 22, 3, 0.7), Canvas.Fractal(own, 6, 2));
            for (int row = 0, i = 0; row < Canvas.Size; row++)
                for (int column = 0; column < Canvas.Size; column++, i++)
                {
                    double dx = (Canvas.At(column) - x0) * stretch, dy = (Canvas.At(row) - y0) / stretch, r = Math.Sqrt(dx * dx + dy * dy) / reach
                        + 0.14 * edge.Values[i];
                    canvas.Values[i] += density * (0.15 + 0.85 * lungs.Values[i]) * Canvas.Step(1.1, 0.35, r) * Math.Max(0.1, 1 + 0.75 * patches.Values[i]);
                }
        }
        for (int i = 0; i < canvas.Values.Length; i++) canvas.Values[i] += spots.Values[i];
    }

    private static void AddDevices(Canvas canvas, Randomness body, Randomness image)
    {
        var layer = new Canvas();
        if (body.Chance(0.35) && image.Chance(0.8))                            // electrodes with their wires
        {
            int count = 2 + image.Below(3);
            for (int e = 0; e < count; e++)
            {
                double x = image.Uniform(-0.65, 0.65), y = image.Uniform(-0.6, 0.6), angle = image.Uniform(0, 6.28), r = image.Uniform(0.024, 0.032);
                layer.Dot(x, y, r * 0.8, 1.1);
                for (int step = 0; step < 22; step++)
                {
                    double nx = x + 0.06 * Math.Cos(angle), ny = y + 0.06 * Math.Sin(angle);
                    layer.Stroke(x, y, nx, ny, 0.007, 0.5);
                    (x, y, angle) = (nx, ny, angle + image.Normal(0, 0.22));
                }
            }
        }
        if (body.Chance(0.18))                                                  // pacemaker with its lead
        {
            int side = body.Chance(0.8) ? 1 : -1;
            double cx = side * body.Uniform(0.4, 0.55), cy = body.Uniform(-0.5, -0.38);
            canvas.Add((x, y) => 2.2 * Canvas.Step(1.05, 0.95, Math.Pow(Math.Pow(Math.Abs(x - cx) / 0.11, 3) + Math.Pow(Math.Abs(y - cy) / 0.09, 3), 1 / 3.0)));
            double LeadX(double t) => cx * (1 - t) + 0.1 * t;
            double LeadY(double t) => cy + t * 0.75 - 0.25 * Math.Sin(Math.PI * t);
            for (double t = 0; t < 1; t += 0.02) layer.Stroke(LeadX(t), LeadY(t), LeadX(t + 0.02), LeadY(t + 0.02), 0.009, 0.8);
        }
        if (body.Chance(0.25))                                                  // tube
            layer.Stroke(body.Normal(0, 0.02), -1, body.Normal(0, 0.04), body.Uniform(-0.35, 0.5), 0.014, 0.35);
        for (int i = 0; i < layer.Values.Length; i++) canvas.Values[i] += layer.Values[i];
    }

    private static ushort[] Expose(Canvas attenuation, Randomness image)
    {
        double photons = Math.Exp(image.Uniform(Math.Log(2_500), Math.Log(20_000))), share = image.Uniform(0.25, 0.6), hardness = image.Uniform(0.75, 1.05);
        var primary = new Canvas();
        for (int i = 0; i < primary.Values.Length; i++) primary.Values[i] = Math.Exp(-hardness * attenuation.Values[i]);
        var scatter = primary.Blur(14);
        var reading = new double[primary.Values.Length];
        for (int i = 0; i < reading.Length; i++)
        {
            double mean = photons * ((1 - share) * primary.Values[i] + share * scatter.Values[i]);
            reading[i] = -Math.Log(Math.Max(1, mean + Math.Sqrt(mean) * image.Normal()) / photons);
        }
        // The reader's automatic range is never quite the same, and each maker has its own curve.
        var sorted = (double[])reading.Clone();
        Array.Sort(sorted);
        double low = sorted[(int)(sorted.Length * image.Uniform(0.005, 0.06))], high = sorted[(int)(sorted.Length * image.Uniform(0.95, 0.998))],
            gamma = Math.Exp(image.Normal(0, 0.22));
        double shade = image.Normal(0, 0.06), shadeAngle = image.Uniform(0, 6.28);
        int left = image.Chance(0.4) ? image.Below(10) : 0, top = image.Chance(0.4) ? image.Below(10) : 0, right = image.Chance(0.4) ? image.Below(10) : 0;
        var pixels = new ushort[reading.Length];
        for (int row = 0, i = 0; row < Canvas.Size; row++)
            for (int column = 0; column < Canvas.Size; column++, i++)
            {
                double v = Math.Clamp((reading[i] - low) / (high - low) * 0.9 + 0.05
                    + shade * (Canvas.At(column) * Math.Cos(shadeAngle) + Canvas.At(row) * Math.Sin(shadeAngle)), 0, 1);
                bool collimated = column < left || row < top || column >= Canvas.Size - right;
                pixels[i] = (ushort)Math.Round(4095 * (collimated ? 0.97 : Math.Pow(v, gamma)));
            }
        return pixels;
    }
}
