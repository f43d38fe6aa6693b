using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DomainSsl.Core.Models;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Learning;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.FineTuning;
using DomainSsl.Learning.Weights;

namespace DomainSsl.Worker;

/// <summary>Features of items, into <c>features.npy</c> (float32, N×D) and <c>features.csv</c> (the item of each row) of the run's folder.</summary>
public sealed class EmbedRun(ShardStore shards, ModelFiles files, ModelRegistry registry)
{
    /// <summary>Names of the files in the run's folder.</summary>
    public const string FeaturesFile = "features.npy", ItemsFile = "features.csv";

    /// <summary>Carries it out.</summary>
    public async Task<RunOutcome> CarryOutAsync(EmbedRequest request, RunContext context)
    {
        var model = await registry.GetAsync(request.ModelId, context.Stop);
        var items = await shards.ItemsAsync(request.CollectionId, request.ItemIds, files.KindOf(model), context.Stop);
        TorchProcess.Tune();
        var device = Devices.Choose("auto");
        var shared = request.ItemIds is null;
        float[][] rows;
        if (model.Kind == ModelKind.Classifier)
        {
            using var classifier = Classifier.Load(files.ClassifierFolder(model), device);
            rows = InShard(classifier.About.Encoder, (source, places) => [.. FeatureBatches.Of(classifier, source, places, context, "Embedding").Select(a => a.Features)]);
        }
        else
        {
            using var encoder = EncoderWeights.Load(files.EncoderWeights(model), device);
            rows = InShard(encoder.Spec, (source, places) => FeatureBatches.Of(encoder, source, places, device, context, "Embedding"));
        }
        WriteNpy(Path.Combine(context.Folder, FeaturesFile), rows);
        var table = new StringBuilder("row,item\n");
        for (var i = 0; i < items.Count; i++) table.Append(CultureInfo.InvariantCulture, $"{i},{items[i].Id}\n");
        await WholeFile.WriteTextAsync(Path.Combine(context.Folder, ItemsFile), table.ToString(), context.Stop);
        return new RunOutcome(JsonSerializer.Serialize(new { items = rows.Length, dimensions = rows[0].Length }, RunContext.Json));

        float[][] InShard(EncoderSpec spec, Func<ItemSource, int[], float[][]> embed)
        {
            var prepared = shards.Prepare(items, [spec.Resolution], context, shared ? null : context.Folder)[spec.Resolution];
            items = prepared.In(items, i => i.Id);
            float[][] features;
            using (var source = ItemSource.Open(prepared.Path, spec)) features = embed(source, [.. items.Select(i => prepared.Places[i.Id])]);
            if (!shared) File.Delete(prepared.Path);
            return features;
        }
    }

    /// <summary>Writes rows as numpy's format, version 1.0: magic, version, length of the header, header, values.</summary>
    internal static void WriteNpy(string path, float[][] rows)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows.Length}, {rows[0].Length}), }}";
        header = header.PadRight((10 + header.Length + 1 + 63) / 64 * 64 - 10 - 1) + "\n"; // values begin at a multiple of 64
        WholeFile.Write(path, file =>
        {
            file.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0]);
            Span<byte> length = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)header.Length);
            file.Write(length);
            file.Write(Encoding.ASCII.GetBytes(header));
            foreach (var row in rows) file.Write(MemoryMarshal.AsBytes<float>(row)); // little-endian, as every machine we run on
        });
    }

    /// <summary>Reads features and items of an embed run.</summary>
    public static IReadOnlyList<(long Item, float[] Features)> Read(string runFolder)
    {
        var bytes = File.ReadAllBytes(Path.Combine(runFolder, FeaturesFile));
        int start = 10 + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        var items = File.ReadLines(Path.Combine(runFolder, ItemsFile)).Skip(1).Select(l => long.Parse(l.AsSpan(l.IndexOf(',') + 1), CultureInfo.InvariantCulture)).ToList();
        var values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(start)).ToArray();
        int dimensions = values.Length / items.Count;
        return [.. items.Zip(values.Chunk(dimensions))];
    }
}
