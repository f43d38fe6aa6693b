namespace DomainSsl.Core.Importing;

/// <summary>
/// The checksum of zip entries (ISO 3309, polynomial 0x04C11DB7 reflected). The framework cuts an entry off at its claimed length and compares nothing, so a damaged or lying
/// entry would come through as whole.
/// </summary>
internal static class Crc32
{
    private static readonly uint[] Table = Make();

    /// <summary>The checksum of bytes, or of more bytes after those that gave <paramref name="before"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes, uint before = 0)
    {
        uint crc = ~before;
        foreach (byte b in bytes) crc = Table[(byte)crc ^ b] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] Make()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint c = i;
            for (int bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
        return table;
    }
}
