using System.Security.Cryptography;
using System.Text;

namespace DomainSsl.Core.Runs;

/// <summary>Ids that people can read out: Crockford's base 32 without the letters that look like digits.</summary>
public static class ShortId
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>A run's id, e.g. <c>r-20260102-7k3q9d</c>.</summary>
    public static string Run(DateTimeOffset now) => $"r-{now.UtcDateTime:yyyyMMdd}-{Characters(6)}";

    /// <summary>A model's id, e.g. <c>m-7k3qx2vd</c>.</summary>
    public static string Model() => $"m-{Characters(8)}";

    /// <summary>The id of the model that a run makes: always the same for the same run, so that a run which is taken up again replaces what it had begun to store.</summary>
    public static string ModelOf(string runId) => "m-" + string.Concat(SHA256.HashData(Encoding.UTF8.GetBytes(runId)).Take(8).Select(b => Alphabet[b & 31]));

    private static string Characters(int count) => RandomNumberGenerator.GetString(Alphabet, count);
}
