using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using DomainSsl.Core.Storage;
using Spectre.Console;

namespace DomainSsl.Web.Commands;

/// <summary><c>doctor</c>: checks the machine and says how to mend what fails.</summary>
internal static class DoctorCommand
{
    public static Command Create(CommandContext context)
    {
        var blobs = new Option<bool>("--blobs") { Description = "Compare every stored file with its hash." };
        var sweep = new Option<bool>("--sweep") { Description = "Remove stored files that nothing names and that are older than a day." };
        var load = new Option<bool>("--load-torch") { Hidden = true };
        return context.Runs(new Command("doctor", "Checks machine and data folder, and says how to mend what fails.") { blobs, sweep, load }, async run =>
        {
            if (run.Get(load)) return LoadTorch();
            var doctor = await run.ServiceAsync<Doctor>();
            var checks = (await doctor.CheckAsync(run.Get(blobs), run.Cancel)).ToList();
            if (run.Get(sweep))
            {
                // What killed processes were writing went as the folder was opened.
                var (files, bytes) = await (await run.ServiceAsync<OrphanSweep>()).SweepAsync(run.Cancel);
                checks.Add(new DoctorCheck("sweep", true, $"{files:#,0} files that nothing named removed, {bytes / 1e6:0.0} MB."));
            }
            int torch = checks.FindIndex(c => c.Name == "libtorch");
            if (checks[torch].Ok) checks[torch] = await TorchLoadsAsync(run.Cancel);
            run.Output.Result(new { Checks = checks }, console =>
            {
                var table = CommandOutput.Table("", "What", "Found");
                foreach (var check in checks) CommandOutput.Row(table, check.Ok ? "well" : "NOT", check.Name, check.Message);
                console.Write(table);
            });
            return checks.TrueForAll(c => c.Ok) ? CommandLine.Done : CommandLine.Failed;
        });
    }

    // In a process of its own: a library that does not fit the machine can take the process with it.
    private static async Task<DoctorCheck> TorchLoadsAsync(CancellationToken cancel)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") start.ArgumentList.Add(typeof(DoctorCommand).Assembly.Location);
        start.ArgumentList.Add("doctor");
        start.ArgumentList.Add("--load-torch");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        var said = (await errors).Trim().ReplaceLineEndings(" ");
        return process.ExitCode == 0 ? new("libtorch", true, "libtorch loads.")
            : new("libtorch", false, $"libtorch does not load ({(said.Length > 0 ? said[..Math.Min(200, said.Length)] : $"exit {process.ExitCode}")}); build the program again on this machine.");
    }

    private static int LoadTorch()
    {
        var path = Directory.EnumerateFiles(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "LibTorchSharp.dll" : "libLibTorchSharp.*",
            new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 4 }).FirstOrDefault();
        if (path is null)
        {
            Console.Error.WriteLine("libLibTorchSharp is missing");
            return CommandLine.Failed;
        }
        try
        {
            NativeLibrary.Load(path);
            return CommandLine.Done;
        }
        catch (DllNotFoundException e)
        {
            Console.Error.WriteLine(e.Message);
            return CommandLine.Failed;
        }
    }
}
