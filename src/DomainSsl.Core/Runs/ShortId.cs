using System.Security.Cryptography;

namespace DomainSsl.Core.Runs;

/// <summary>Ids that people can read out: Crockford's base 32 without the letters that look like digits.</summary>
public static class ShortId
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>A run's id, e.g. <c>r-20260102-7k3q9d</c>.</summary>
    public static string Run(DateTimeOffset now) => $"r-{now.UtcDateTime:yyyyMMdd}-{Characters(6)}";

    /// <summary>A model's id, e.g. <c>m-7k3qx2vd</c>.</summary>
    public static string Model() => $"m-{Characters(8)}";

    private static string Characters(int count) => RandomNumberGenerator.GetString(Alphabet, count);
}
