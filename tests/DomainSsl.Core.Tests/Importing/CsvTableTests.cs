using DomainSsl.Core.Importing;
using DomainSsl.Testing;

namespace DomainSsl.Core.Tests.Importing;

public sealed class CsvTableTests
{
    [Fact]
    public void Read_QuotesSeparatorsAndBlankLines_GiveTheirCells()
    {
        var table = Read("file, label \r\n\"a,b.dcm\",\"say \"\"aah\"\"\"\r\n\r\nc.dcm,\"two\nlines\"\n");
        Assert.Equal(["file", "label"], table.Columns);
        Assert.Equal([["a,b.dcm", "say \"aah\""], ["c.dcm", "two\nlines"]], table.Rows);
        Assert.Equal("c.dcm", table.Value(table.Rows[1], "FILE"));
        Assert.Equal("", table.Value(table.Rows[1], "patient"));
    }

    [Theory]
    [InlineData("file;label\na;b\n", "b")]
    [InlineData("file\tlabel\na\tb\n", "b")]
    [InlineData("\uFEFFfile,label\na,b", "b")]
    public void Read_SpreadsheetForms_AreUnderstood(string text, string label)
    {
        var table = Read(text);
        Assert.Equal(label, table.Value(Assert.Single(table.Rows), "label"));
    }

    [Theory]
    [InlineData("file,label\na,b\nc\n", "line 3")]
    [InlineData("file,label\n\"a,b\n", "line 2")]
    [InlineData("", "empty")]
    public void Read_BrokenTable_NamesTheLine(string text, string says)
    {
        var refused = Assert.Throws<RefusedException>(() => Read(text));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("with, comma")]
    [InlineData("with \"marks\"")]
    [InlineData("over\nlines")]
    [InlineData("over\rlines")]
    public void Quoted_AnyValue_ReadsBack(string value)
    {
        var table = Read($"file,{CsvTable.Quoted(value)}\na,{CsvTable.Quoted(value)}\n");
        Assert.Equal(["file", value], table.Columns);
        Assert.Equal(value, Assert.Single(table.Rows)[1]);
    }

    [Fact]
    public void Read_LineOfBlanks_SaysNothing() => Assert.Single(Read("file,label\na,b\n  \n").Rows);

    private static CsvTable Read(string text)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("t.csv"), text);
        return CsvTable.Read(folder.At("t.csv"));
    }
}
