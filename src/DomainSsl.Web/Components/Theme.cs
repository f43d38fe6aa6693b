using MudBlazor;

namespace DomainSsl.Web.Components;

/// <summary>
/// The look: a reading room's. Calm greys, one accent, one family of type. Everything that has a colour takes it from here; <c>app.css</c> holds only measures and the variables derived from this palette.
/// Text against its ground keeps at least 4.5:1 in both schemes.
/// </summary>
public static class Theme
{
    private static readonly string[] Family = ["Source Sans 3", "system-ui", "sans-serif"];

    /// <summary>MudBlazor's theme, overridden in this one place.</summary>
    public static MudTheme Mud { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#0b6e75", PrimaryContrastText = "#ffffff", Secondary = "#4a5a66", SecondaryContrastText = "#ffffff", Tertiary = "#5b4b8a",
            Info = "#1f5f99", Success = "#1c6b3f", Warning = "#8a5300", Error = "#b3261e", Dark = "#1c2329",
            Background = "#f4f6f7", BackgroundGray = "#e9edef", Surface = "#ffffff", AppbarBackground = "#ffffff", AppbarText = "#1c2329",
            DrawerBackground = "#f4f6f7", DrawerText = "#1c2329", DrawerIcon = "#4a5a66",
            TextPrimary = "#1c2329", TextSecondary = "#4f5d68", TextDisabled = "#5f6b74", ActionDefault = "#4a5a66", ActionDisabled = "#8b969e", ActionDisabledBackground = "#e1e6e9",
            LinesDefault = "#dbe1e4", LinesInputs = "#7f8b94", TableLines = "#e4e9ec", TableHover = "#eef4f4", TableStriped = "#f8fafa", Divider = "#dbe1e4", DividerLight = "#e9edef",
            HoverOpacity = 0.06,
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#5fc0c6", PrimaryContrastText = "#08272a", Secondary = "#a3b2bc", SecondaryContrastText = "#14191c", Tertiary = "#b9a9ec",
            Info = "#7db8ee", Success = "#6fcf97", Warning = "#f0b35a", Error = "#ff8a80", Dark = "#0d1113", ErrorContrastText = "#2b0503", WarningContrastText = "#2a1700",
            SuccessContrastText = "#062112", InfoContrastText = "#04192b",
            Background = "#12171a", BackgroundGray = "#0d1113", Surface = "#1a2125", AppbarBackground = "#161c20", AppbarText = "#e4e9ec",
            DrawerBackground = "#12171a", DrawerText = "#e4e9ec", DrawerIcon = "#a3b2bc",
            TextPrimary = "#e4e9ec", TextSecondary = "#a9b6bf", TextDisabled = "#87939b", ActionDefault = "#a3b2bc", ActionDisabled = "#66727a", ActionDisabledBackground = "#262f34",
            LinesDefault = "#2b353b", LinesInputs = "#71808a", TableLines = "#263036", TableHover = "#202a2f", TableStriped = "#1d2529", Divider = "#2b353b", DividerLight = "#222b30",
            HoverOpacity = 0.08,
        },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Family, FontSize = "1rem", LineHeight = "1.5", LetterSpacing = "normal" },
            H1 = new H1Typography { FontFamily = Family, FontSize = "1.75rem", FontWeight = "600", LineHeight = "1.25", LetterSpacing = "-0.01em" },
            H2 = new H2Typography { FontFamily = Family, FontSize = "1.25rem", FontWeight = "600", LineHeight = "1.3", LetterSpacing = "normal" },
            H3 = new H3Typography { FontFamily = Family, FontSize = "1.0625rem", FontWeight = "600", LineHeight = "1.35", LetterSpacing = "normal" },
            Body1 = new Body1Typography { FontFamily = Family, FontSize = "1rem", LineHeight = "1.5", LetterSpacing = "normal" },
            Body2 = new Body2Typography { FontFamily = Family, FontSize = "0.9375rem", LineHeight = "1.45", LetterSpacing = "normal" },
            Caption = new CaptionTypography { FontFamily = Family, FontSize = "0.875rem", LineHeight = "1.4", LetterSpacing = "normal" },
            Button = new ButtonTypography { FontFamily = Family, FontSize = "1rem", FontWeight = "600", LineHeight = "1.5", LetterSpacing = "normal", TextTransform = "none" },
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "6px" },
    };

    /// <summary>
    /// Colours of a task's classes in their order: those of Okabe and Ito (2008), told apart by people with any of the common colour deficiencies. Always beside a word or key.
    /// In CSS <c>var(--class-1)</c> to <c>var(--class-8)</c>.
    /// </summary>
    public static IReadOnlyList<string> ClassColours { get; } = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f"];

    /// <summary>The colour of the class at a position, from 0; they come round again after eight.</summary>
    public static string ClassColour(int position) => ClassColours[position % ClassColours.Count];
}
