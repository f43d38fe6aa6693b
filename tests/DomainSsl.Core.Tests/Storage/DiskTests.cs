using DomainSsl.Core.Storage;
using Microsoft.Data.Sqlite;

namespace DomainSsl.Core.Tests.Storage;

public sealed class DiskTests
{
    [Fact]
    public void IsFull_TellsNoRoomFromEveryOtherFault_AlsoFromWithin()
    {
        Assert.True(Disk.IsFull(new IOException("No space left on device", 28)));
        Assert.True(Disk.IsFull(new SqliteException("database or disk is full", 13)));
        Assert.True(Disk.IsFull(new InvalidOperationException("saving failed", new SqliteException("database or disk is full", 13))));
        Assert.False(Disk.IsFull(new IOException("Input/output error", 5)));
        Assert.False(Disk.IsFull(new FileNotFoundException()));
        Assert.False(Disk.IsFull(new SqliteException("database is locked", 5)));
    }
}
