using Microsoft.Data.Sqlite;

namespace DomainSsl.Core.Storage;

/// <summary>What is wrong with the disk and not with what was to be read or written.</summary>
public static class Disk
{
    private const int NoSpace = 28;                                     // ENOSPC
    private const int WindowsDiskFull = unchecked((int)0x80070070);     // ERROR_DISK_FULL
    private const int SqliteFull = 13;                                  // SQLITE_FULL

    /// <summary>Whether something could not be written because there is no room.</summary>
    public static bool IsFull(Exception e) => e switch
    {
        IOException { HResult: NoSpace or WindowsDiskFull } or SqliteException { SqliteErrorCode: SqliteFull } => true,
        { InnerException: { } inner } => IsFull(inner),
        _ => false,
    };
}
