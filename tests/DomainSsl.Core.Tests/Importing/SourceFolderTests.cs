using DomainSsl.Core.Importing;
using DomainSsl.Testing;

namespace DomainSsl.Core.Tests.Importing;

public sealed class SourceFolderTests
{
    [Fact]
    public void Files_OfAFolder_AreSortedAndBeginAsItWasGiven()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["b.dcm", "a/2.dcm", "a/1.dcm", "Z.dcm"]) Make(folder.At("in", name));
        Assert.Equal([folder.At("in", "Z.dcm"), folder.At("in", "a", "1.dcm"), folder.At("in", "a", "2.dcm"), folder.At("in", "b.dcm")], SourceFolder.Files(folder.At("in")));
        var given = Path.Combine(folder.Path, "in", "..", "in");
        Assert.All(SourceFolder.Files(given), f => Assert.StartsWith(given, f, StringComparison.Ordinal));
    }

    [Fact]
    public void Files_WhatDesktopsLeaveBehind_IsNotAmongThem()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["scan.dcm", ".DS_Store", "Thumbs.db", "a/desktop.ini", "__MACOSX/._scan.dcm", "a/__MACOSX/scan.dcm"]) Make(folder.At(name));
        Assert.Equal([folder.At("scan.dcm")], SourceFolder.Files(folder.Path));
    }

    [Fact]
    public void Files_Links_AreNotFollowed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making links needs rights there.");
        using var folder = new TemporaryFolder();
        Make(folder.At("in", "scan.dcm"));
        Make(folder.At("elsewhere.dcm"));
        Directory.CreateSymbolicLink(folder.At("in", "circle"), folder.At("in"));
        File.CreateSymbolicLink(folder.At("in", "out.dcm"), folder.At("elsewhere.dcm"));
        Assert.Equal([folder.At("in", "scan.dcm")], SourceFolder.Files(folder.At("in")));
    }

    private static void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "x");
    }
}
