using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DomainSsl.Learning.FineTuning;

/// <summary>Seeds of named streams: the same seed and name give the same numbers, on any machine and in any order of use.</summary>
internal static class Seeds
{
    /// <summary>The seed of the stream called <paramref name="name"/>, not negative.</summary>
    public static int Of(long seed, string name) =>
        BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}"))) & int.MaxValue;

    /// <summary>The stream itself.</summary>
    public static Random Random(long seed, string name) => new(Of(seed, name));
}
