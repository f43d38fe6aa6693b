namespace DomainSsl.Core.Importing;

/// <summary>The files of a folder that somebody names, the same ones whatever is done with them.</summary>
public static class SourceFolder
{
    // Links are not followed: they may lead in a circle, or out.
    private static readonly EnumerationOptions OneFolder = new() { IgnoreInaccessible = false, AttributesToSkip = FileAttributes.ReparsePoint };

    /// <summary>
    /// Files in the folder and the folders in it, each as a path that begins as <paramref name="folder"/> does. Sorted, so that two imports of one folder go the same way. A folder that cannot be read stands itself for what lies in it, so that
    /// whoever opens it as a file tells of it.
    /// </summary>
    public static IEnumerable<string> Files(string folder) => Under(folder, folder).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Under(string top, string folder)
    {
        string[] files, folders;
        try { (files, folders) = (Directory.GetFiles(folder, "*", OneFolder), Directory.GetDirectories(folder, "*", OneFolder)); }
        catch (DirectoryNotFoundException) when (folder != top) { return []; } // gone since it was listed
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return folder != top && (IsClutter(Path.GetRelativePath(top, folder)) || Path.GetFileName(folder) is "lost+found" or "System Volume Information" or "$RECYCLE.BIN") ? [] : [folder]; }
        return files.Where(f => !IsClutter(Path.GetRelativePath(top, f))).Concat(folders.SelectMany(f => Under(top, f)));
    }

    // What desktops leave lying about is nobody's scan and would only fill the quarantine.
    internal static bool IsClutter(string name) =>
        name.StartsWith("__MACOSX/", StringComparison.Ordinal) || name.Contains("/__MACOSX/", StringComparison.Ordinal) || name[(name.LastIndexOf('/') + 1)..] is ['.', ..] or "Thumbs.db" or "desktop.ini";
}
