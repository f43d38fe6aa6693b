using System.Globalization;

namespace DomainSsl.SampleData;

/// <summary>All images with their labels and the truth: who has what is drawn first, so that nothing of it shows in a name, a number or an order.</summary>
internal static class Images
{
    private const int LabelledPerClass = 8;

    private sealed record Patient(string Id, int Number, bool Ct, Finding Finding, int Images);

    public static void Write(string folder, int patients, ulong seed)
    {
        var images = Directory.CreateDirectory(Path.Combine(folder, "images")).FullName;
        foreach (var old in Directory.GetFiles(images, "*.dcm")) File.Delete(old);
        var people = Draw(patients, new Randomness(seed, "patients"));
        var rows = new List<(string File, Finding Finding, Patient Patient)>();
        foreach (var patient in people)
        {
            var foci = Focus.Draw(patient.Finding, new Randomness(seed, patient.Id + "/place"));
            var about = new Randomness(seed, patient.Id + "/about");
            string study = DicomOutput.Uid(about), series = DicomOutput.Uid(about);
            var born = new DateOnly(1930 + about.Below(70), 1 + about.Below(12), 1 + about.Below(28));
            var date = new DateOnly(2021 + about.Below(3), 1 + about.Below(12), 1 + about.Below(28));
            string sex = about.Chance(0.5) ? "F" : "M";
            int clock = 8 * 3600 + about.Below(9 * 3600);
            for (int n = 0; n < patient.Images; n++)
            {
                if (!patient.Ct && n > 0)               // radiographs are follow-ups, CT slices lie in one series
                {
                    (study, series) = (DicomOutput.Uid(about), DicomOutput.Uid(about));
                    date = date.AddDays(1 + about.Below(60));
                    clock = 8 * 3600 + about.Below(9 * 3600);
                }
                string name = $"phantom-{patient.Number:000}-{n + 1}.dcm";
                var output = new DicomOutput();
                string time = TimeSpan.FromSeconds(clock).ToString("hhmmss", CultureInfo.InvariantCulture),
                    day = date.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
                output.Text(0x00080008, "CS", patient.Ct ? @"ORIGINAL\PRIMARY\AXIAL" : @"ORIGINAL\PRIMARY").Text(0x00080005, "CS", "ISO_IR 100")
                    .Text(0x00080016, "UI", patient.Ct ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.1")
                    .Text(0x00080018, "UI", DicomOutput.Uid(about))
                    .Text(0x00080020, "DA", day).Text(0x00080021, "DA", day).Text(0x00080023, "DA", day).Text(0x00080030, "TM", time)
                    .Text(0x00080033, "TM", time)
                    .Text(0x00080050, "SH", $"SYN{patient.Number:000}{(patient.Ct ? 1 : n + 1)}").Text(0x00080060, "CS", patient.Ct ? "CT" : "CR")
                    .Text(0x00080070, "LO", "Synthetic data")
                    .Text(0x00080080, "LO", "Synthetic Clinic").Text(0x00080090, "PN", "Synthetic^Referrer")
                    .Text(0x00081030, "LO", patient.Ct ? "Chest CT of a phantom" : "Chest of a phantom")
                    .Text(0x0008103E, "LO", patient.Ct ? "Axial" : "Frontal").Text(0x00081090, "LO", "Phantom generator")
                    .Text(0x00100010, "PN", $"Synthetic^Phantom {patient.Number:000}").Text(0x00100020, "LO", $"PHANTOM-{patient.Number:000}")
                    .Text(0x00100030, "DA", born.ToString("yyyyMMdd", CultureInfo.InvariantCulture)).Text(0x00100040, "CS", sex).Text(0x00180015, "CS", "CHEST")
                    .Text(0x0020000D, "UI", study).Text(0x0020000E, "UI", series).Text(0x00200010, "SH", patient.Ct ? "1" : $"{n + 1}")
                    .Text(0x00200011, "IS", "1")
                    .Text(0x00200013, "IS", patient.Ct ? $"{n + 1}" : "1");
                if (patient.Ct)
                    output.Text(0x00180050, "DS", "5").Text(0x00200032, "DS", FormattableString.Invariant($@"-180\-180\{-5 * n}"))
                        .Text(0x00200037, "DS", @"1\0\0\0\1\0")
                        .Text(0x00200052, "UI", Frame(seed, patient.Id)).Text(0x00280030, "DS", @"2.25\2.25").Text(0x00281050, "DS", "-400")
                        .Text(0x00281051, "DS", "1600")
                        .Text(0x00281052, "DS", "-1024").Text(0x00281053, "DS", "1").Text(0x00281054, "LO", "HU");
                else
                    output.Text(0x00185101, "CS", "PA").Text(0x00181164, "DS", @"2.25\2.25").Text(0x00281050, "DS", "2048").Text(0x00281051, "DS", "4096");

                var pixels = patient.Ct ? new Slice(seed, patient.Id, patient.Finding, foci).Take(n)
                    : new Radiograph(seed, patient.Id, patient.Finding, foci).Take(n);
                output.Write(Path.Combine(images, name), pixels, Canvas.Size, rle: patient.Number % 4 != 0);
                rows.Add(("images/" + name, patient.Finding, patient));
            }
        }

        WriteCsv("truth.csv", rows);
        WriteCsv("labels.csv", Labelled(rows, new Randomness(seed, "labels")));

        void WriteCsv(string name, IEnumerable<(string File, Finding Finding, Patient Patient)> some) => File.WriteAllText(Path.Combine(folder, name),
            "file,label,patient\n" + string.Concat(some.OrderBy(r => r.File, StringComparer.Ordinal).Select(r =>
                $"{r.File},{r.Finding.ToString().ToLowerInvariant()},PHANTOM-{r.Patient.Number:000}\n")));
    }

    /// <summary>
    /// Of every three patients one is seen by CT; findings are in equal numbers in both; two of three patients have three images, the others two.
    /// </summary>
    private static List<Patient> Draw(int patients, Randomness random)
    {
        var kinds = Enumerable.Range(0, patients).Select(i => (Ct: i % 3 == 2, Finding: (Finding)(i / 3 % 3), Images: i / 9 % 3 == 0 ? 2 : 3)).ToList();
        while (kinds.Sum(k => k.Images) is var sum && sum * 3 < patients * 8)
        {
            int i = random.Below(patients);         // what the pattern leaves over, so that ninety patients have 240 images
            kinds[i] = kinds[i] with { Images = 3 };
        }
        while (kinds.Sum(k => k.Images) * 3 > patients * 8 + 2)
        {
            int i = random.Below(patients);
            kinds[i] = kinds[i] with { Images = 2 };
        }
        random.Shuffle(kinds);
        return [.. kinds.Select((k, i) => new Patient($"patient {i + 1}", i + 1, k.Ct, k.Finding, k.Images))];
    }

    /// <summary>One image each of eight patients a class, radiographs and CT in the proportion of the whole.</summary>
    private static List<(string, Finding, Patient)> Labelled(List<(string File, Finding Finding, Patient Patient)> rows, Randomness random)
    {
        var chosen = new List<(string, Finding, Patient)>();
        foreach (var finding in Enum.GetValues<Finding>())
        {
            var people = rows.Where(r => r.Finding == finding).Select(r => r.Patient).Distinct().ToList();
            random.Shuffle(people);
            int ct = (int)Math.Round(LabelledPerClass * people.Count(p => p.Ct) / Math.Max(1.0, people.Count));
            foreach (var patient in people.Where(p => p.Ct).Take(ct).Concat(people.Where(p => !p.Ct).Take(LabelledPerClass - ct)))
                chosen.Add(random.Pick(rows.Where(r => r.Patient == patient).ToList()));
        }
        return chosen;
    }

    private static string Frame(ulong seed, string patient) => DicomOutput.Uid(new Randomness(seed, patient + "/frame"));
}
