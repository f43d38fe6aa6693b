namespace DomainSsl.Testing;

/// <summary>The real scans and speech that lie beside the checkout, and the project's own folders. Tests that need the former skip where they are absent.</summary>
public static class SharedData
{
    /// <summary>The root of the checkout: the nearest folder upwards that holds DomainSsl.sln.</summary>
    public static string Project { get; } = FindProject();

    /// <summary>A file or folder of the shared data, e.g. <c>cxr/train.csv</c>; skips the running test where it is absent.</summary>
    public static string Path(string relative)
    {
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(Project, "..", "shared", "data", relative));
        if (!File.Exists(path) && !Directory.Exists(path))
            Xunit.Assert.Skip($"The shared data set '{relative}' is not on this machine; it belongs in ../shared/data beside the checkout.");
        return path;
    }

    private static string FindProject()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "DomainSsl.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("DomainSsl.sln was not found above the test's folder; run the tests from a checkout.");
    }
}
