using System.Runtime.InteropServices;
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

    [Fact]
    public void Files_AFolderThatMayNotBeRead_StandsForWhatLiesInIt()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Rights are taken away as Linux does it.");
            return;
        }
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, Everybody);
        Make(folder.At("in", "open", "scan.dcm"));
        Make(folder.At("in", "closed", "scan.dcm"));
        Make(folder.At("in", "lost+found", "scan.dcm")); // what systems keep for themselves is nobody's scan
        foreach (var closed in (string[])["closed", "lost+found"]) File.SetUnixFileMode(folder.At("in", closed), UnixFileMode.None);
        string[] met = [];
        // The administrator of the machine may read everything, so a thread that looks as nobody.
        var nobody = new Thread(() =>
        {
            _ = setfsuid(65534);
            met = [.. SourceFolder.Files(folder.At("in"))];
            _ = setfsuid(geteuid());
        });
        nobody.Start();
        nobody.Join();
        foreach (var closed in (string[])["closed", "lost+found"]) File.SetUnixFileMode(folder.At("in", closed), Everybody);
        Assert.Equal([folder.At("in", "closed"), folder.At("in", "open", "scan.dcm")], met);
    }

    private const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;

    [DllImport("libc")]
    private static extern int setfsuid(uint user);

    [DllImport("libc")]
    private static extern uint geteuid();

    private static void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "x");
    }
}
