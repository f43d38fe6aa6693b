using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace DomainSsl.Dicom;

/// <summary>A cleaned file.</summary>
/// <param name="File">The new file; the original is untouched. Its pixels are the same; text inside a compressed stream is blanked.</param>
/// <param name="Patient">The patient's pseudonym, which is also its PatientID and PatientName.</param>
public sealed record DeidentifiedFile(DicomFile File, string Patient);

/// <summary>
/// Takes the person out of a file (PS3.15 annex E, see <see cref="BasicProfile"/>). Everything that takes an original's place is made from it by HMAC-SHA256 under one
/// secret key: the same patient has the same pseudonym and the same shift of dates in every file, references between files still meet, doing it twice gives the same
/// bytes, and without the key nothing can be traced back. Thread-safe.
/// </summary>
public sealed class Deidentifier
{
    private const string Method = "DomainSsl profile 1, after PS3.15 Basic Profile";
    private const int MaxShiftDays = 365;

    private readonly byte[] _patients, _dates, _uids;

    /// <param name="key">32 secret bytes. Another key makes other pseudonyms.</param>
    public Deidentifier(ReadOnlySpan<byte> key)
    {
        if (key.Length != 32) throw new ArgumentException("The de-identification key must be 32 bytes.", nameof(key));
        // A key of its own for each purpose, so that a pseudonym tells nothing of a shift.
        (_patients, _dates, _uids) = (HMACSHA256.HashData(key, "patient"u8), HMACSHA256.HashData(key, "dates"u8), HMACSHA256.HashData(key, "uids"u8));
    }

    /// <summary>Makes the cleaned file. A file without a PatientID gets the pseudonym of its study.</summary>
    public DeidentifiedFile Deidentify(DicomFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var identity = Identity(file);
        var work = new Pass(this, Pseudonym(identity), ShiftDays(identity));
        work.Learn(file.DataSet);
        work.Learn(file.Meta);
        var clean = work.Clean(file.DataSet, null);
        clean.SetString(DicomTags.PatientID, work.Patient);
        clean.SetString(DicomTags.PatientName, work.Patient);
        clean.SetString(DicomTags.PatientIdentityRemoved, "YES");
        clean.SetString(DicomTags.DeidentificationMethod, Method);
        clean.SetString(DicomTags.LongitudinalTemporalInformationModified, "MODIFIED");
        clean.Set(new DicomElement(DicomTags.DeidentificationMethodCodeSequence, [.. Codes.Select(c => Code(clean, c.Value, c.Meaning))]));
        return new DeidentifiedFile(new DicomFile(clean, file.Syntax), work.Patient);
    }

    /// <summary>The pseudonym that a file's patient gets: of its PatientID, or of its study where it has none.</summary>
    public string PseudonymOf(DicomFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Pseudonym(Identity(file));
    }

    /// <summary>The pseudonym of a PatientID, e.g. <c>P-7K3QX2MD4T</c>: fifty bits, without letters that look alike.</summary>
    public string Pseudonym(string patientId)
    {
        const string letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's base 32
        var mac = HMACSHA256.HashData(_patients, Encoding.UTF8.GetBytes(patientId.Trim()));
        Span<char> text = stackalloc char[10];
        for (var i = 0; i < text.Length; i++) text[i] = letters[mac[i] & 31];
        return $"P-{text}";
    }

    /// <summary>By how many days a patient's dates are moved: −365 to 365, never 0.</summary>
    public int ShiftDays(string patientId)
    {
        var mac = HMACSHA256.HashData(_dates, Encoding.UTF8.GetBytes(patientId.Trim()));
        var days = (int)(BitConverter.ToUInt64(mac) % (2 * MaxShiftDays)) - MaxShiftDays;
        return days >= 0 ? days + 1 : days;
    }

    /// <summary>The UID that takes the place of another: <c>2.25.</c> and a UUID of version 8 (PS3.5 §B.2).</summary>
    public string ReplaceUid(string uid)
    {
        var uuid = HMACSHA256.HashData(_uids, Encoding.ASCII.GetBytes(uid)).AsSpan(0, 16);
        uuid[6] = (byte)(uuid[6] & 0x0F | 0x80);
        uuid[8] = (byte)(uuid[8] & 0x3F | 0x80);
        return $"2.25.{new BigInteger(uuid, isUnsigned: true, isBigEndian: true)}";
    }

    // PS3.16 CID 7050.
    private static readonly (string Value, string Meaning)[] Codes =
    [
        ("113100", "Basic Application Confidentiality Profile"),
        ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        ("113108", "Retain Patient Characteristics Option"),
    ];

    private static DicomDataSet Code(DicomDataSet parent, string value, string meaning)
    {
        var code = new DicomDataSet(parent);
        code.SetString(DicomTags.CodeValue, value);
        code.SetString(DicomTags.CodingSchemeDesignator, "DCM");
        code.SetString(DicomTags.CodeMeaning, meaning);
        return code;
    }

    private static string Identity(DicomFile file) => file.DataSet.GetString(DicomTags.PatientID)
        ?? file.DataSet.GetString(DicomTags.StudyInstanceUID)
        ?? file.DataSet.GetString(DicomTags.SOPInstanceUID)
        ?? throw new DicomException(DicomErrors.MissingElement, "The file names neither a patient nor a study, so it cannot be filed; export it again from the source.", DicomTags.PatientID);

    // One file's cleaning: what takes the patient's place, and what must not be found anywhere afterwards.
    private sealed class Pass(Deidentifier owner, string patient, int days)
    {
        private readonly HashSet<string> _secrets = new(StringComparer.OrdinalIgnoreCase);

        public string Patient { get; } = patient;

        // Names, identifiers and addresses, to be looked for in the text that is kept: people type them anywhere.
        public void Learn(DicomDataSet data)
        {
            foreach (var element in data)
            {
                foreach (var item in element.Items ?? []) Learn(item);
                if (element.Items is not null || element.Value.Length is < 4 or > 1024) continue;
                var vr = element.Vr == DicomVr.UN ? DicomDictionary.Vr(element.Tag) : element.Vr;
                var tells = vr is DicomVr.PN || (vr == DicomVr.UI && BasicProfile.Of(element.Tag, vr) == DeidentificationAction.ReplaceUid) || Identifiers.Contains(element.Tag);
                if (!tells || data.GetString(element.Tag) is not { } text) continue;
                foreach (var part in text.Split(vr == DicomVr.PN ? ['^', '=', '\\', ' ', ','] : ['\\'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                    if (part.Length >= 4 && !part.StartsWith("1.2.840.10008.", StringComparison.Ordinal)) _secrets.Add(part);
            }
        }

        public DicomDataSet Clean(DicomDataSet data, DicomDataSet? parent)
        {
            var clean = new DicomDataSet(parent);
            foreach (var element in data)
                if (Clean(element, data, clean) is { } kept) clean.Set(kept);
            return clean;
        }

        private DicomElement? Clean(DicomElement element, DicomDataSet data, DicomDataSet clean)
        {
            var tag = element.Tag;
            switch (BasicProfile.Of(tag, element.Vr))
            {
                case DeidentificationAction.Clean:
                    return element.Items is null ? null : new DicomElement(tag, [.. element.Items.Select(item => Clean(item, clean))]);
                case DeidentificationAction.Empty:
                    return new DicomElement(tag, DicomDictionary.Vr(tag), ReadOnlyMemory<byte>.Empty);
                case DeidentificationAction.Pseudonym:
                    return Text(tag, Patient);
                case DeidentificationAction.ShiftDate:
                    return Text(tag, Each(data, tag, Shift));
                case DeidentificationAction.ReplaceUid:
                    return Text(tag, Each(data, tag, uid => uid.StartsWith("1.2.840.10008.", StringComparison.Ordinal) ? uid : owner.ReplaceUid(uid)));
                case DeidentificationAction.CapAge:
                    return Text(tag, Each(data, tag, Cap));
                case DeidentificationAction.Keep:
                    // A sequence where the dictionary has a value is not what it seems.
                    if (element.Items is not null) return null;
                    if (element.Fragments is { } fragments) return new DicomElement(tag, element.Vr, StreamComments.Blank(fragments));
                    return element.Vr.IsText() && tag != DicomTags.SpecificCharacterSet && Tells(data.GetString(tag))
                        ? new DicomElement(tag, element.Vr, ReadOnlyMemory<byte>.Empty) : element;
                default:
                    return null;
            }
        }

        private bool Tells(string? text)
        {
            if (text is null || text.Length < 4) return false;
            foreach (var secret in _secrets)
            {
                // As a word of its own: a patient called Head must not cost every "Headphones".
                for (var at = text.IndexOf(secret, StringComparison.OrdinalIgnoreCase); at >= 0; at = text.IndexOf(secret, at + 1, StringComparison.OrdinalIgnoreCase))
                {
                    var end = at + secret.Length;
                    if ((at == 0 || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end]))) return true;
                }
            }
            return false;
        }

        // YYYYMMDD, or that with a time behind it (DT); anything else cannot be moved by days and goes.
        private string Shift(string value)
        {
            var dotted = value.Length == 10 && value[4] == '.' && value[7] == '.';
            var text = dotted ? value.Replace(".", "", StringComparison.Ordinal) : value;
            if (text.Length < 8 || !DateOnly.TryParseExact(text.AsSpan(0, 8), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)) return "";
            var moved = (long)date.DayNumber + days;
            if (moved < 0 || moved > DateOnly.MaxValue.DayNumber) return "";
            var rest = text.AsSpan(8);
            foreach (var c in rest) if (!char.IsAsciiDigit(c) && c is not ('.' or '+' or '-')) return "";
            return string.Concat(DateOnly.FromDayNumber((int)moved).ToString("yyyyMMdd", CultureInfo.InvariantCulture), rest);
        }

        private static string Cap(string age)
        {
            if (age.Length != 4 || !int.TryParse(age.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || age[3] is not ('D' or 'W' or 'M' or 'Y')) return "";
            return age[3] == 'Y' && count >= 90 ? "090Y" : age;
        }

        private static string Each(DicomDataSet data, DicomTag tag, Func<string, string> change) =>
            string.Join('\\', data.GetStrings(tag).Select(v => v.Length == 0 ? v : change(v)));

        private static DicomElement Text(DicomTag tag, string value)
        {
            var vr = DicomDictionary.Vr(tag);
            var bytes = Encoding.ASCII.GetBytes(value);
            return new DicomElement(tag, vr, bytes.Length % 2 == 0 ? bytes : [.. bytes, vr == DicomVr.UI ? (byte)0 : (byte)' ']);
        }
    }

    // Identifiers that are no names; with every PN and UI what the kept text is searched for.
    private static readonly HashSet<DicomTag> Identifiers =
    [
        DicomTags.PatientID, DicomTags.OtherPatientNames, new DicomTag(0x00101000), DicomTags.AccessionNumber, DicomTags.PatientAddress, DicomTags.PatientTelephoneNumbers,
        DicomTags.InstitutionName, DicomTags.InstitutionAddress, DicomTags.ReferringPhysicianAddress, DicomTags.StationName, DicomTags.DeviceSerialNumber,
        DicomTags.AdmissionID, new DicomTag(0x00101090), DicomTags.PatientBirthDate, DicomTags.StudyID,
    ];
}
