using System.CommandLine;
using DomainSsl.Core;

namespace DomainSsl.Web.Commands;

/// <summary><c>transcribe</c>: not yet; it says so.</summary>
internal static class TranscribeCommand
{
    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = "A transcriber." };
        var paths = new Argument<string[]>("PATH") { Description = "Recordings.", Arity = ArgumentArity.ZeroOrMore };
        var format = new Option<string>("--format") { Description = "txt, srt, vtt, json or textgrid.", DefaultValueFactory = _ => "txt" };
        var output = new Option<string?>("--out") { Description = "A folder for the transcripts.", HelpName = "DIR" };
        return context.Runs(new Command("transcribe", "Writes down what is said (comes with part C).") { model, paths, format, output },
            _ => throw new RefusedException("later", "Transcribing speech comes with part C; this version works with images."));
    }
}
