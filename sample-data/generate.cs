#!/usr/bin/env dotnet
#:property PublishAot=false
#:property RootNamespace=DomainSsl.SampleData
#:project ../src/DomainSsl.Audio
#:include generator/*.cs

// Makes all of sample-data from one seed:  dotnet run sample-data/generate.cs [-- --out DIR --patients N --clips N --seed S]
// The same options give the same bytes on the same machine. Speech needs espeak-ng; --clips 0 does without.

using DomainSsl.SampleData;

var options = new Dictionary<string, string> { ["out"] = Path.GetFullPath("sample-data"), ["patients"] = "90", ["clips"] = "60", ["seed"] = "20240229" };
for (int i = 0; i < args.Length; i += 2)
{
    string name = args[i].TrimStart('-');
    if (!options.ContainsKey(name) || i + 1 == args.Length)
    {
        Console.Error.WriteLine("Usage: dotnet run sample-data/generate.cs -- [--out DIR] [--patients N] [--clips N] [--seed S]");
        return 2;
    }
    options[name] = args[i + 1];
}

var (folder, seed) = (options["out"], ulong.Parse(options["seed"]));
Images.Write(folder, int.Parse(options["patients"]), seed);
return Speech.Write(folder, int.Parse(options["clips"]), seed) ? 0 : 1;
