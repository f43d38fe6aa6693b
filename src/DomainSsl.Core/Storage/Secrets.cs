using System.Security.Cryptography;
using System.Text;
using DomainSsl.Dicom;

namespace DomainSsl.Core.Storage;

/// <summary>The installation's secrets: 32 random bytes each, made at first need in <c>data/keys</c>, readable by their owner alone (mode 0600).</summary>
public sealed class Secrets
{
    // Crockford's base32: no I, L, O, U, so that a pseudonym can be read out on the telephone.
    private const string Letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private readonly Lazy<byte[]> _pseudonyms;
    private readonly Lazy<Deidentifier> _deidentifier;

    /// <summary>Reads or makes nothing yet.</summary>
    public Secrets(DataFolder folder)
    {
        _pseudonyms = new(() => LoadOrMake(Path.Combine(folder.Keys, "pseudonyms.key")));
        _deidentifier = new(() => new Deidentifier(_pseudonyms.Value));
    }

    /// <summary>Key of pseudonyms, date shifts and remapped UIDs, 32 bytes. Lost, the same patient would get another pseudonym: it belongs in every backup.</summary>
    public byte[] PseudonymKey => [.. _pseudonyms.Value];

    /// <summary>De-identification under that key; thread-safe.</summary>
    public Deidentifier Deidentifier => _deidentifier.Value;

    /// <summary>A keyed pseudonym of what a table says of who speaks, e.g. <c>S-7K3QX2MD4T</c>; equal texts give equal pseudonyms.</summary>
    public string SpeakerPseudonym(string speaker) => string.Create(12, HMACSHA256.HashData(_pseudonyms.Value, Encoding.UTF8.GetBytes($"speaker\0{speaker.Trim()}")), static (text, code) =>
    {
        (text[0], text[1]) = ('S', '-');
        for (int i = 2; i < text.Length; i++) text[i] = Letters[code[i] & 31];
    });

    /// <summary>Reads a key file, or makes it; of several processes that make it at once all get the first one's.</summary>
    /// <exception cref="RefusedException"><c>key-damaged</c>: the file has not 32 bytes.</exception>
    internal static byte[] LoadOrMake(string path)
    {
        if (!File.Exists(path))
        {
            var temporary = path + "." + Guid.NewGuid().ToString("N");
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(RandomNumberGenerator.GetBytes(32));
                stream.Flush(flushToDisk: true);
            }
            FileBlobStore.PlaceFirst(temporary, path);
            FileBlobStore.FlushFolder(Path.GetDirectoryName(path)!);
        }
        var key = File.ReadAllBytes(path);
        return key.Length == 32 ? key
            : throw new RefusedException("key-damaged", $"The key file {Path.GetFileName(path)} has {key.Length} bytes instead of 32; restore data/keys from a backup.");
    }
}
