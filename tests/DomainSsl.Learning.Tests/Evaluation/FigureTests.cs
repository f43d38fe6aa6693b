using System.Xml.Linq;
using DomainSsl.Learning.Evaluation;
using SkiaSharp;

namespace DomainSsl.Learning.Tests.Evaluation;

public class FigureTests
{
    private static Figure Some(string title = "Labels & what they are worth") => new(title, "AUROC", "Lines are 95 % intervals; 292 test patients, 10 draws.",
    [
        new("simclr", 20, new(0.958, 0.94, 0.97)), new("simclr", 50, new(0.969, 0.955, 0.98)), new("simclr", 100, new(0.98, 0.97, 0.987)),
        new("public", 20, new(0.921, 0.90, 0.95)), new("public", 50, new(0.956, 0.94, 0.97)), new("public", 100, new(0.976, 0.965, 0.984)),
        new("scratch", 20, new(0.926, 0.90, 0.945)), new("scratch", 50, new(0.943, 0.92, 0.96)), new("scratch", 100, new(0.968, 0.955, 0.98)),
    ]);

    [Fact]
    public void Svg_IsWellFormed_WithItsWordsAsText()
    {
        XNamespace ns = "http://www.w3.org/2000/svg";
        var svg = XDocument.Parse(Some().ToSvg());
        var texts = svg.Descendants(ns + "text").Select(t => t.Value).ToList();
        Assert.Superset(new HashSet<string> { "simclr", "public", "scratch", "20", "50", "100", "AUROC", "labelled images", "Labels & what they are worth" }, texts.ToHashSet());
        Assert.Equal(9 + 3, svg.Descendants(ns + "circle").Count());     // nine figures and a key for each arm
        Assert.Contains("simclr, 20: 0.958", svg.Descendants(ns + "desc").Single().Value);
    }

    [Fact]
    public void Svg_NamesOfArms_DoNotOverlap()
    {
        XNamespace ns = "http://www.w3.org/2000/svg";
        var heights = XDocument.Parse(Some().ToSvg()).Descendants(ns + "text").Where(t => t.Value is "simclr" or "public" or "scratch")
            .Select(t => double.Parse(t.Attribute("y")!.Value, System.Globalization.CultureInfo.InvariantCulture)).Order().ToList();
        Assert.Equal(3, heights.Count);
        Assert.All(heights.Zip(heights.Skip(1)), p => Assert.True(p.Second - p.First >= 17.9));
    }

    [Fact]
    public void Png_ShowsItsText_WithoutFontsOnTheMachine()
    {
        using var with = SKBitmap.Decode(Some("MMMMMMMM").ToPng(1));
        using var without = SKBitmap.Decode(Some(" ").ToPng(1));
        Assert.Equal(760, with.Width);
        int Dark(SKBitmap b)
        {
            var dark = 0;
            for (var y = 10; y < 34; y++) for (var x = 60; x < 300; x++) if (b.GetPixel(x, y).Red < 128) dark++;
            return dark;
        }
        Assert.Equal(0, Dark(without));
        // Eight capital M of 17 units are some 40 dark pixels each; a missing glyph would be an outlined box or nothing.
        Assert.InRange(Dark(with), 200, 1200);
        using var other = SKBitmap.Decode(Some("iiiiiiii").ToPng(1));
        Assert.InRange(Dark(other), 40, Dark(with) / 2);
    }
}
