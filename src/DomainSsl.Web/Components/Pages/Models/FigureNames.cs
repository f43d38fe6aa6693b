namespace DomainSsl.Web.Components.Pages.Models;

/// <summary>What the figures of models are called on pages.</summary>
public static class FigureNames
{
    private static readonly (string End, string Words)[] Ends = [("Change", "what changed from the one before"), ("Before", "of the one before"), ("WithLanguage", "with language models and glossary")];

    /// <summary>A figure's name for people, e.g. <c>Letters wrong (CER), of the one before</c>.</summary>
    public static string Of(string name)
    {
        foreach (var (end, words) in Ends)
            if (name.Length > end.Length && name.EndsWith(end, StringComparison.Ordinal)) return $"{Of(name[..^end.Length])}, {words}";
        return name switch
        {
            "cer" => "Letters wrong (CER)",
            "wer" => "Words wrong (WER)",
            "termErrorRate" => "Terms of the glossary wrong (TER)",
            "wrongWordsInLeastSure" => "Share of the wrong words that stand in the least sure fifth",
            "auroc" => "AUROC",
            "balancedAccuracy" => "Balanced accuracy",
            "accuracy" => "Accuracy",
            "sensitivity" => "Sensitivity",
            "specificity" => "Specificity",
            "brier" => "Brier score (less is better)",
            "calibrationError" => "Calibration error (less is better)",
            "bitsPerLetter" => "Bits a letter on held-out text (fewer is better)",
            "baselineBitsPerLetter" => "The same, by the letters' frequencies alone",
            "ngramBitsPerLetter" => "The same, by counting (n-gram)",
            "gain" => "Bits a letter saved against the letters' frequencies",
            "wordPerplexity" => "Words to choose between (perplexity)",
            "unknownWords" => "Share of held-out words never seen before",
            "heldOutLetters" => "Letters held out",
            "heldOutSentences" => "Sentences held out",
            "heldOutGroups" => "Speakers, reports or sentences held out",
            _ => name,
        };
    }
}
