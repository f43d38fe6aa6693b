#!/usr/bin/env dotnet
#:property PublishAot=false
#:property RootNamespace=DomainSsl.SpokenEncoder
#:project ../src/DomainSsl.Audio
#:include ../sample-data/generator/Randomness.cs
#:include generator/*.cs

// Makes the spoken sentences that the spoken encoder learns from:  dotnet run spoken-encoder/generate.cs -- --out DIR [--sentences N --seed S]
// Needs Debian's espeak-ng, flite, fortunes, wamerican and hunspell-en-med. Writes DIR/sentences.csv (file, text, speaker) and a WAV of 16 kHz a sentence.

using DomainSsl.Audio.Decoding;
using DomainSsl.SampleData;
using DomainSsl.SpokenEncoder;

var options = new Dictionary<string, string> { ["out"] = "", ["sentences"] = "10000", ["seed"] = "20260101" };
for (int i = 0; i < args.Length; i += 2)
{
    string name = args[i].TrimStart('-');
    if (!options.ContainsKey(name) || i + 1 == args.Length)
    {
        Console.Error.WriteLine("Usage: dotnet run spoken-encoder/generate.cs -- --out DIR [--sentences N] [--seed S]");
        return 2;
    }
    options[name] = args[i + 1];
}

if (options["out"].Length == 0)
{
    Console.Error.WriteLine("Say where the sentences go: --out DIR");
    return 2;
}

var (folder, count, seed) = (Directory.CreateDirectory(options["out"]).FullName, int.Parse(options["sentences"]), ulong.Parse(options["seed"]));
var sentences = new Sentences();
var rows = new string[count];
int done = 0;
Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, n =>
{
    // Each sentence has its own stream, so that it does not matter which is made first.
    var random = new Randomness(seed, $"sentence {n}");
    var speaker = Speaker.Draw(random);
    string text = sentences.Draw(random), name = $"{n:00000}.wav";
    using (var file = File.Create(Path.Combine(folder, name))) SoundFile.WriteWav16k(file, Room.Draw(random).Around(speaker.Say(text), random));
    rows[n] = $"{name},{text},{speaker.Name}";
    if (Interlocked.Increment(ref done) % 500 == 0) Console.WriteLine($"{done} of {count}");
});
File.WriteAllLines(Path.Combine(folder, "sentences.csv"), rows.Prepend("file,text,speaker"));
return 0;
