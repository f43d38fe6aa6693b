namespace DomainSsl.Core.Importing;

/// <summary>The files of a folder that somebody names, the same ones whatever is done with them.</summary>
public static class SourceFolder
{
    /// <summary>
    /// Files in the folder and the folders in it, each as a path that begins as <paramref name="folder"/> does. Sorted, so that two imports of one folder go the same way. Links are not followed: they may lead in a circle, or out.
    /// </summary>
    public static IEnumerable<string> Files(string folder)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
        return Directory.EnumerateFiles(folder, "*", options).Where(f => !IsClutter(Path.GetRelativePath(folder, f))).Order(StringComparer.Ordinal);
    }

    // What desktops leave lying about is nobody's scan and would only fill the quarantine.
    internal static bool IsClutter(string name) =>
        name.StartsWith("__MACOSX/", StringComparison.Ordinal) || name.Contains("/__MACOSX/", StringComparison.Ordinal) || name[(name.LastIndexOf('/') + 1)..] is ['.', ..] or "Thumbs.db" or "desktop.ini";
}
