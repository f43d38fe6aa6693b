using System.Globalization;
using System.Text;
using SkiaSharp;

namespace DomainSsl.Learning.Evaluation;

/// <summary>One dot with its interval in the figure.</summary>
public readonly record struct FigurePoint(string Arm, int Labels, Interval Figure);

/// <summary>
/// The label-efficiency figure: labels (logarithmic) against a figure of merit, a dot with its interval for every arm and number of labels, arms named beside
/// their last dot. Colours are Okabe &amp; Ito's, told apart by all kinds of colour vision; the names stand beside them, so colour is never alone.
/// </summary>
public sealed class Figure
{
    private const float Width = 760, Height = 460, Left = 70, Right = 190, Top = 64, Bottom = 76;
    private const string Ink = "#222222", Faint = "#d9d9d9", Quiet = "#555555", Paper = "#ffffff";
    private static readonly string[] Colours = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9"];   // Okabe & Ito 2008, the yellow left out: too pale on white
    private static readonly double[] Steps = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
    private const string ScratchColour = "#6b6b6b";

    private readonly List<Mark> _marks = [];
    private readonly string _title;
    private readonly string _description;

    /// <summary>Lays the figure out.</summary>
    /// <param name="title">Its heading, one line.</param>
    /// <param name="metric">What the vertical axis shows, e.g. AUROC.</param>
    /// <param name="caption">A line below: what the intervals are, how many test patients.</param>
    /// <param name="points">All dots; arms keep the order in which they first come. One called <c>scratch</c> is grey.</param>
    /// <param name="unit">What is counted along the horizontal axis.</param>
    public Figure(string title, string metric, string caption, IReadOnlyList<FigurePoint> points, string unit = "labelled images")
    {
        if (points.Count == 0) throw new ArgumentException("A figure needs at least one point.", nameof(points));
        _title = title;
        _description = $"{metric} by {unit}: " + string.Join("; ", points.Select(p => $"{p.Arm}, {p.Labels}: {p.Figure}"));

        var budgets = points.Select(p => p.Labels).Distinct().Order().ToArray();
        var arms = points.Select(p => p.Arm).Distinct().ToArray();
        var (bottom, top, step) = Axis(points.Min(p => Math.Min(p.Figure.Low, p.Figure.Value)), points.Max(p => Math.Max(p.Figure.High, p.Figure.Value)));

        float X(int labels) => budgets.Length == 1 ? (Left + Width - Right) / 2
            : Left + 30 + (float)((Math.Log(labels) - Math.Log(budgets[0])) / (Math.Log(budgets[^1]) - Math.Log(budgets[0]))) * (Width - Left - Right - 60);
        float Y(double v) => Height - Bottom - (float)((v - bottom) / (top - bottom)) * (Height - Top - Bottom);

        Text(title, Left, 28, 17, Ink, bold: true);
        Text(metric, Left, Top - 14, 13, Quiet);
        var decimals = step < 0.0099 ? 3 : step < 0.099 ? 2 : 1;
        for (var i = 0; i <= (int)Math.Round((top - bottom) / step); i++)
        {
            var v = bottom + i * step;
            Line(Left, Y(v), Width - Right, Y(v), 1, Faint);
            Text(v.ToString("F" + decimals, CultureInfo.InvariantCulture), Left - 10, Y(v) + 4.5f, 13, Quiet, Align.End);
        }
        foreach (var b in budgets) Text(b.ToString(CultureInfo.InvariantCulture), X(b), Height - Bottom + 22, 13, Quiet, Align.Middle);
        Text(unit, (Left + Width - Right) / 2, Height - Bottom + 42, 13, Quiet, Align.Middle);
        Text(caption, Left, Height - 12, 12, Quiet);

        // Arms stand side by side at each number of labels, closer together where the numbers are.
        var gap = budgets.Length < 2 ? 60f : budgets.Zip(budgets.Skip(1), (a, b) => X(b) - X(a)).Min();
        var dodge = Math.Min(11f, gap * 0.7f / arms.Length);
        var ends = new List<(string Arm, string Colour, float Y)>();
        var coloured = 0;
        for (var a = 0; a < arms.Length; a++)
        {
            var colour = arms[a] == "scratch" ? ScratchColour : Colours[coloured++ % Colours.Length];
            var shift = (a - (arms.Length - 1) / 2f) * dodge;
            var mine = points.Where(p => p.Arm == arms[a]).OrderBy(p => p.Labels).ToArray();
            foreach (var (from, to) in mine.Zip(mine.Skip(1))) Line(X(from.Labels) + shift, Y(from.Figure.Value), X(to.Labels) + shift, Y(to.Figure.Value), 1.2f, colour, 0.45f);
            foreach (var p in mine)
            {
                Line(X(p.Labels) + shift, Y(p.Figure.Low), X(p.Labels) + shift, Y(p.Figure.High), 2.2f, colour);
                _marks.Add(new Mark.Dot(X(p.Labels) + shift, Y(p.Figure.Value), 4.6f, colour));
            }
            ends.Add((arms[a], colour, Y(mine[^1].Figure.Value)));
        }
        foreach (var (arm, colour, y) in Spread(ends, 18, Top, Height - Bottom))
        {
            _marks.Add(new Mark.Dot(Width - Right + 14, y, 4.6f, colour));
            Text(arm.Length > 24 ? arm[..23] + "…" : arm, Width - Right + 25, y + 4.5f, 14, Ink);
        }
    }

    private enum Align { Start, Middle, End }

    private abstract record Mark
    {
        public sealed record Stroke(float X1, float Y1, float X2, float Y2, float Width, string Colour, float Opacity) : Mark;

        public sealed record Dot(float X, float Y, float Radius, string Colour) : Mark;

        public sealed record Label(string Text, float X, float Y, float Size, string Colour, Align Align, bool Bold) : Mark;
    }

    private void Line(float x1, float y1, float x2, float y2, float width, string colour, float opacity = 1) =>
        _marks.Add(new Mark.Stroke(x1, y1, x2, y2, width, colour, opacity));

    private void Text(string text, float x, float y, float size, string colour, Align align = Align.Start, bool bold = false) =>
        _marks.Add(new Mark.Label(text, x, y, size, colour, align, bold));

    // Bottom, top and step of an axis with four to eight round steps around the data.
    private static (double Bottom, double Top, double Step) Axis(double low, double high)
    {
        var span = Math.Max(high - low, 0.02);
        var step = Steps.FirstOrDefault(s => span / s <= 7, 0.2);
        return (Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, step);
    }

    // Names in the order of their dots, at least `apart` from each other, all within the plot.
    private static List<(string Arm, string Colour, float Y)> Spread(List<(string Arm, string Colour, float Y)> ends, float apart, float top, float bottom)
    {
        var sorted = ends.OrderBy(e => e.Y).ToList();
        for (var i = 1; i < sorted.Count; i++) if (sorted[i].Y < sorted[i - 1].Y + apart) sorted[i] = sorted[i] with { Y = sorted[i - 1].Y + apart };
        if (sorted[^1].Y > bottom) sorted[^1] = sorted[^1] with { Y = bottom };
        for (var i = sorted.Count - 2; i >= 0; i--) if (sorted[i].Y > sorted[i + 1].Y - apart) sorted[i] = sorted[i] with { Y = sorted[i + 1].Y - apart };
        return sorted;
    }

    /// <summary>The figure as SVG; its text is text, so it can be searched, read aloud and edited.</summary>
    public string ToSvg()
    {
        var svg = new StringBuilder();
        var c = CultureInfo.InvariantCulture;
        svg.Append(c, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" role=\"img\" ");
        svg.Append("aria-labelledby=\"t d\" font-family=\"'Source Sans 3','Source Sans Pro',system-ui,sans-serif\">\n");
        svg.Append(c, $"<title id=\"t\">{Escaped(_title)}</title>\n<desc id=\"d\">{Escaped(_description)}</desc>\n<rect width=\"{Width}\" height=\"{Height}\" fill=\"{Paper}\"/>\n");
        foreach (var mark in _marks)
        {
            switch (mark)
            {
                case Mark.Stroke s:
                    svg.Append(c, $"<line x1=\"{s.X1:0.#}\" y1=\"{s.Y1:0.#}\" x2=\"{s.X2:0.#}\" y2=\"{s.Y2:0.#}\" stroke=\"{s.Colour}\" stroke-width=\"{s.Width}\" stroke-linecap=\"round\"");
                    svg.Append(s.Opacity < 1 ? string.Create(c, $" opacity=\"{s.Opacity}\"/>\n") : "/>\n");
                    break;
                case Mark.Dot d:
                    svg.Append(c, $"<circle cx=\"{d.X:0.#}\" cy=\"{d.Y:0.#}\" r=\"{d.Radius}\" fill=\"{d.Colour}\"/>\n");
                    break;
                case Mark.Label l:
                    var anchor = l.Align switch { Align.Middle => " text-anchor=\"middle\"", Align.End => " text-anchor=\"end\"", _ => "" };
                    svg.Append(c, $"<text x=\"{l.X:0.#}\" y=\"{l.Y:0.#}\" font-size=\"{l.Size}\" fill=\"{l.Colour}\"{anchor}{(l.Bold ? " font-weight=\"600\"" : "")}>{Escaped(l.Text)}</text>\n");
                    break;
            }
        }
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>The figure as PNG, <paramref name="scale"/> pixels to a unit, drawn with the font that comes with the program.</summary>
    public byte[] ToPng(float scale = 2)
    {
        using var bitmap = new SKBitmap((int)(Width * scale), (int)(Height * scale));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColor.Parse(Paper));
        canvas.Scale(scale);
        using var regular = Typeface("SourceSans3-Regular");
        using var bold = Typeface("SourceSans3-SemiBold");
        foreach (var mark in _marks)
        {
            using var paint = new SKPaint { IsAntialias = true };
            switch (mark)
            {
                case Mark.Stroke s:
                    paint.Color = SKColor.Parse(s.Colour).WithAlpha((byte)(255 * s.Opacity));
                    (paint.StrokeWidth, paint.StrokeCap, paint.Style) = (s.Width, SKStrokeCap.Round, SKPaintStyle.Stroke);
                    canvas.DrawLine(s.X1, s.Y1, s.X2, s.Y2, paint);
                    break;
                case Mark.Dot d:
                    paint.Color = SKColor.Parse(d.Colour);
                    canvas.DrawCircle(d.X, d.Y, d.Radius, paint);
                    break;
                case Mark.Label l:
                    paint.Color = SKColor.Parse(l.Colour);
                    using (var font = new SKFont(l.Bold ? bold : regular, l.Size) { Edging = SKFontEdging.Antialias, Subpixel = true, Hinting = SKFontHinting.None, LinearMetrics = true })
                        canvas.DrawText(l.Text, l.X, l.Y, l.Align switch { Align.Middle => SKTextAlign.Center, Align.End => SKTextAlign.Right, _ => SKTextAlign.Left }, font, paint);
                    break;
            }
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static SKTypeface Typeface(string name)
    {
        using var woff = typeof(Figure).Assembly.GetManifestResourceStream($"DomainSsl.Learning.Evaluation.Fonts.{name}.woff")
            ?? throw new InvalidOperationException($"The font {name} is missing from the program.");
        return SKTypeface.FromData(SKData.CreateCopy(Woff.Unpack(woff))) ?? throw new InvalidOperationException($"The font {name} could not be read.");
    }

    private static string Escaped(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
}
