using System.Globalization;
using DomainSsl.Audio.Decoding;
using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Transcripts;
using DomainSsl.Testing;
using DomainSsl.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests.Transcripts;

/// <summary>
/// What the transcript page takes for long recordings of real speech. It imports hours, so it runs only when asked for:
/// <code>dotnet run -c Release --project tests/DomainSsl.Browser.Tests -- -explicit only -class "*TranscriptSpeed" -showLiveOutput</code>
/// </summary>
public sealed class TranscriptSpeed(Chromium chromium) : IClassFixture<Chromium>
{
    private const double OpenWithin = 1500, LetterWithin = 50;

    // The sound element is not in the document: the player makes it. Frames and key presses are noted where they happen.
    private const string Watch = """
        const made = Document.prototype.createElement;
        Document.prototype.createElement = function (name, ...rest) { const e = made.call(this, name, ...rest); if (String(name).toLowerCase() === 'audio') window.heard = e; return e; };
        window.letters = []; window.keys = [];
        let pressed = 0;
        addEventListener('keydown', e => {
            pressed = e.timeStamp;
            requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => keys.push([e.key, performance.now() - e.timeStamp]); c.port2.postMessage(0); });
        }, true);
        addEventListener('input', () => { const from = pressed; requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => letters.push(performance.now() - from); c.port2.postMessage(0); }); }, true);
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory(Explicit = true)]
    [InlineData(1, 0)]
    [InlineData(3, 30_000)]
    public async Task LongRecording_Opens_StaysInStepToTheLastWord_AndShowsLettersAtOnce(int hours, int leastWords)
    {
        var clips = Clips();
        await using var clinic = await SeededClinic.StartAsync(1);
        var (path, transcript) = Make(clinic, clips, hours, leastWords);
        await clinic.Get<LibraryImport>().ImportAsync([path], new ImportRequest("admin"), cancel: Cancel);
        File.Delete(path);
        long recording;
        await using (var db = await clinic.Database.CreateDbContextAsync(Cancel)) recording = await db.Recordings.Select(r => r.Id).SingleAsync(Cancel);
        await clinic.Get<TranscriptService>().BringInAsync(recording, transcript, TranscriptDeed.Transcribed, TranscriptState.Draft, "model", "draft", Cancel);
        var words = transcript.Words.Count();
        Say($"{hours} h of speech, {words:#,0} words in {transcript.Segments.Count:#,0} passages:");

        var page = await chromium.NewPageAsync(clinic.Site.Address);
        await page.AddInitScriptAsync(Watch);
        await SeededClinic.SignInAsync(page, "rita", "/");
        var (text, sound) = (new List<double>(), new List<double>());
        for (var i = 0; i < 6; i++)
        {
            await page.GotoAsync(Paths.Transcript(recording));
            await page.WaitForFunctionAsync("() => performance.getEntriesByName('transcript-open').length > 0 && performance.getEntriesByName('sound-open').length > 0");
            text.Add(await EndAsync(page, "transcript-open"));
            sound.Add(await EndAsync(page, "sound-open"));
        }
        Say($"  from navigation to the transcript {Figures(text)}, to the sound drawn {Figures(sound)}");

        // The last words, played: at every frame the word that is marked against the one that is said at the sound's own time.
        var last = transcript.Segments[^1];
        await page.EvaluateAsync("() => { document.querySelector('.transcript-list').scrollTop = 1e9; }");
        await page.WaitForFunctionAsync("text => [...document.querySelectorAll('.passage-text')].at(-1)?.innerText.trim() === text", last.Text);
        await page.Locator(".passage").Last.Locator("[data-word='0']").ClickAsync();
        await page.WaitForFunctionAsync("() => !heard.paused && heard.currentTime > 0");
        var spans = last.Words.Select(w => new[] { w.Start!.Value, w.End!.Value }).ToArray();
        var (frames, late, worst, seen) = await StepAsync(page, spans, last.End!.Value);
        Say($"  last passage played: {seen} of {spans.Length} words marked; of {frames} frames {late} showed another word than the one that was said, for {worst:0} ms at most");

        // Letters in the middle, while it plays on.
        var middle = transcript.Segments[transcript.Segments.Count / 2];
        await page.GotoAsync($"{Paths.Transcript(recording)}?at={middle.Start!.Value.ToString("0.0", CultureInfo.InvariantCulture)}");
        await page.WaitForSelectorAsync(".passage.chosen");
        await page.WaitForSelectorAsync("dialog.keys[data-ready]", new() { State = WaitForSelectorState.Attached });
        await page.WaitForFunctionAsync("() => performance.getEntriesByName('sound-open').length > 0");
        await page.Keyboard.PressAsync("h");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("textarea.passage-edit:focus");
        await page.EvaluateAsync("() => { letters.length = 0; keys.length = 0; }");
        foreach (var letter in string.Concat(Enumerable.Repeat("mild effusion on the left side now ", 5)))
        {
            await page.Keyboard.PressAsync(letter.ToString());
            await page.WaitForTimeoutAsync(40);
        }
        var letters = await page.EvaluateAsync<double[]>("() => letters");
        Say($"  from a key to its letter on the screen, {letters.Length} letters while it plays: {Figures(letters)}");
        foreach (var (name, key) in new[] { ("done, the change shown", "Enter"), ("next word to be checked", "n"), ("next word", "ArrowRight"), ("split", "s"), ("undo", "u"), ("merge", "m") })
        {
            var times = new List<double>();
            for (var i = 0; i < (key is "Enter" ? 1 : 5); i++)
            {
                await page.EvaluateAsync("() => { keys.length = 0; }");
                await page.Keyboard.PressAsync(key);
                await page.WaitForFunctionAsync("() => keys.length > 0");
                times.Add(await page.EvaluateAsync<double>("() => keys[0][1]"));
                await page.WaitForTimeoutAsync(100);
                if (key == "s") await page.Keyboard.PressAsync("ArrowRight");
            }
            Say($"  {name}: {Figures(times)}");
        }
        await page.WaitForSelectorAsync(".save-state.saved");

        Assert.True(text.Min() < OpenWithin, $"It took {text.Min():0} ms to open.");
        Assert.Equal(spans.Length, seen);
        Assert.True(worst < 100, $"The mark was {worst:0} ms late.");
        Assert.True(letters.Order().ElementAt(letters.Length / 2) < LetterWithin, "Letters come late.");
    }

    private static Task<double> EndAsync(IPage page, string name) => page.EvaluateAsync<double>("name => { const e = performance.getEntriesByName(name)[0]; return e.startTime + e.duration; }", name);

    private static async Task<(int Frames, int Late, double Worst, int Seen)> StepAsync(IPage page, double[][] spans, double end)
    {
        var found = await page.EvaluateAsync<double[]>("""
            ([spans, end]) => new Promise(done => {
                let frames = 0, late = 0, worst = 0, since = 0; const seen = new Set();
                const look = () => {
                    const t = heard.currentTime, said = spans.findIndex(s => s[0] <= t && t < s[1]), marked = document.querySelector('.passage-text .spoken');
                    const shown = marked ? Number(marked.dataset.word) : -1, now = performance.now();
                    frames++;
                    if (shown >= 0) seen.add(shown);
                    if (shown === said) since = 0; else { late++; since ||= now; worst = Math.max(worst, now - since); }
                    if (t >= end || heard.paused || heard.ended) done([frames, late, worst, seen.size]); else requestAnimationFrame(look);
                };
                requestAnimationFrame(look);
            })
            """, new object[] { spans, end });
        return ((int)found[0], (int)found[1], found[2], (int)found[3]);
    }

    private static string Figures(IEnumerable<double> times)
    {
        var sorted = times.Order().ToArray();
        return $"{sorted[sorted.Length / 2]:0} ms (median; {sorted[0]:0} to {sorted[^1]:0})";
    }

    private static void Say(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);

    private sealed record Clip(string Path, string[] Words);

    // Every fourth sentence, a quarter of an hour: it comes again, as long as it takes.
    private static List<Clip> Clips()
    {
        var root = SharedData.Path("speech/speechocean");
        return [.. ((string[])["train.csv", "dev.csv"]).SelectMany(t => File.ReadLines(Path.Combine(root, t)).Skip(1)).Select(l => l.Split(',')).Where((_, i) => i % 4 == 0).Select(c => new Clip(Path.Combine(root, c[0]), c[5].Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
    }

    // Clips one after another, a passage each; words lie in their clip by their letters. Where more words are asked for than are said, each sentence stands several times in its place.
    private static (string Path, Transcript Transcript) Make(SeededClinic clinic, List<Clip> clips, int hours, int leastWords)
    {
        var (path, segments, random, heard) = (Path.Combine(clinic.Data.Root, "..", "long.wav"), new List<TranscriptSegment>(), new Random(1), new Dictionary<string, float[]>());
        var said = new List<(Clip Clip, double Start, double End)>();
        using (var file = File.Create(path))
        {
            var (writer, frames) = (new WavWriter(file, 16_000, 1), 0L);
            for (var i = 0; frames < hours * 3600L * 16_000; i++)
            {
                var clip = clips[i % clips.Count];
                if (!heard.TryGetValue(clip.Path, out var samples))
                {
                    using var stream = File.OpenRead(clip.Path);
                    heard[clip.Path] = samples = SoundFile.Read(stream).Samples;
                }
                writer.Add(samples);
                said.Add((clip, frames / 16_000.0, (frames + samples.Length) / 16_000.0));
                frames += samples.Length;
            }
            writer.Finish();
        }
        var times = Math.Max(1, (int)Math.Ceiling(leastWords / (double)Math.Max(1, said.Sum(s => s.Clip.Words.Length))));
        foreach (var (clip, start, end) in said)
        {
            string[] words = [.. Enumerable.Repeat(clip.Words, times).SelectMany(w => w)];
            var (from, to, letters, before) = (start + 0.3, end - 0.3, words.Sum(w => w.Length + 1.0), 0.0);
            segments.Add(new TranscriptSegment($"Speaker {1 + segments.Count % 2}", start, end, [.. words.Select(w =>
            {
                var at = from + (to - from) * before / letters;
                before += w.Length + 1;
                return new TranscriptWord(w, at, at + 0.95 * (to - from) * (w.Length + 1) / letters, random.NextDouble() < 0.1 ? 0.3 : 0.95, random.NextDouble());
            })]));
        }
        return (path, new Transcript(segments));
    }
}
