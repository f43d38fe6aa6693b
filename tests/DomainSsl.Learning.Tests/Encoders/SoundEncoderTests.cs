using System.Text.Json;
using DomainSsl.Audio.Spectrograms;
using DomainSsl.Learning.Encoders;
using DomainSsl.Learning.Training;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Encoders;

public sealed class SoundEncoderTests
{
    internal static readonly EncoderSpec Mel = new() { Architecture = "sound", Resolution = 16_000, Front = "mel", Bands = 20, Rate = 25, Width = 16, Depth = 2, Kernel = 3 };
    internal static readonly EncoderSpec MelTransformer = new() { Architecture = "sound", Resolution = 16_000, Front = "mel", Bands = 20, Rate = 50, Width = 32, Depth = 2, Heads = 4 };
    internal static readonly EncoderSpec Wave = new() { Architecture = "sound", Resolution = 16_000, Front = "wave", FrontWidth = 24, Rate = 50, Width = 32, Depth = 2, Heads = 4 };

    public static TheoryData<string> All => ["mel", "mel-transformer", "wave"];

    private static EncoderSpec Of(string name) => name switch { "mel" => Mel, "mel-transformer" => MelTransformer, _ => Wave };

    [Fact]
    public void LogMel_EqualsTheSpectrogramOfTheAudioLibrary()
    {
        using var scope = NewDisposeScope();
        foreach (var seconds in new[] { 0.003, 0.5, 1.2345 })
        {
            var sound = MadeSpeech.Piece(new RandomStream(4), seconds);
            var expected = MelFrames.LogMel(sound, 64);
            var ours = new LogMel(64).forward(tensor(sound, [1, sound.Length]));
            Assert.Equal([1, expected.Length / 64, 64], ours.shape);
            Assert.True((ours.flatten() - tensor(expected)).abs().max().item<float>() < 5e-3);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Encode_OfAnyLength_GivesAFrameEachStride(string name)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (SoundEncoder)EncoderFactory.Create(Of(name), 1);
        foreach (var samples in new[] { 1, 100, 640, 641, 2240, 16_000, 20_001 })
        {
            var frames = encoder.Encode(rand(2, samples) - 0.5, null);
            Assert.Equal([2, (samples + encoder.Stride - 1) / encoder.Stride, encoder.Dimensions], frames.shape);
            Assert.True(frames.isfinite().all().item<bool>());
            Assert.Equal(frames.shape[1], encoder.Frames(samples));
        }
        Assert.Equal([2, encoder.Dimensions], encoder.Features(rand(2, 8000)).shape);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Encode_AnItemBesideALongerOne_HasTheSameFramesAsAlone(string name)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (SoundEncoder)EncoderFactory.Create(Of(name), 1);
        var (shorter, longer) = (MadeSpeech.Piece(new RandomStream(1), 0.733), MadeSpeech.Piece(new RandomStream(2), 1.5));
        var both = zeros(2, longer.Length);
        both[0].narrow(0, 0, shorter.Length).copy_(tensor(shorter));
        both[1].copy_(tensor(longer));
        var together = encoder.Encode(both, [shorter.Length, longer.Length]);
        var alone = encoder.Encode(tensor(shorter, [1, shorter.Length]), null);
        var n = encoder.Frames(shorter.Length);
        Assert.Equal(n, alone.shape[1]);
        Assert.True((together[0].narrow(0, 0, n) - alone[0]).abs().max().item<float>() < 2e-4);
        Assert.True((together[1] - encoder.Encode(tensor(longer, [1, longer.Length]), null)[0]).abs().max().item<float>() < 2e-4);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Features_AnItemBesideALongerOne_HasTheSameAsAlone(string name)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (SoundEncoder)EncoderFactory.Create(Of(name), 1);
        var (shorter, longer) = (MadeSpeech.Piece(new RandomStream(1), 0.14), MadeSpeech.Piece(new RandomStream(2), 1.5));
        var both = zeros(2, longer.Length);
        both[0].narrow(0, 0, shorter.Length).copy_(tensor(shorter));
        both[1].copy_(tensor(longer));
        var alone = encoder.Features(tensor(shorter, [1, shorter.Length]));
        Assert.Equal([1, encoder.Dimensions], alone.shape);
        Assert.True((encoder.Features(both, [shorter.Length, longer.Length])[0] - alone[0]).abs().max().item<float>() < 2e-4);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Encode_LouderOrWithAnOffset_IsTheSame(string name)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (SoundEncoder)EncoderFactory.Create(Of(name), 1);
        var sound = tensor(MadeSpeech.Piece(new RandomStream(1), 1.0), [1, 16_000]);
        var (soft, loud) = (encoder.Encode(sound * 0.1, null), encoder.Encode(sound, null));
        Assert.True((soft - loud).abs().mean().item<float>() < 0.05 * loud.abs().mean().item<float>());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Load_WhatWasSaved_GivesTheSameFrames(string name)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (SoundEncoder)EncoderFactory.Create(Of(name), 3);
        EncoderWeights.Save(encoder, folder.At("e.safetensors"));
        using var loaded = (SoundEncoder)EncoderWeights.Load(folder.At("e.safetensors"), CPU);
        Assert.Equal(encoder.Spec, loaded.Spec);
        Assert.Equal(encoder.parameters().Count(), encoder.state_dict().Count); // each weight once
        Assert.Equal(JsonSerializer.Serialize(encoder.Spec, LearningJson.Options), JsonSerializer.Serialize(EncoderWeights.ReadSpec(folder.At("e.safetensors")), LearningJson.Options));
        var sound = rand(1, 5000);
        Assert.True(encoder.Encode(sound, null).eq(loaded.Encode(sound, null)).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Encode_InBfloat16_IsCloseToFloat32(string name)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (SoundEncoder)EncoderFactory.Create(Of(name), 3);
        var sound = tensor(MadeSpeech.Piece(new RandomStream(1), 1.0), [1, 16_000]);
        var exact = encoder.Encode(sound, null);
        encoder.Precision = ScalarType.BFloat16;
        var rough = encoder.Encode(sound, null);
        Assert.Equal(ScalarType.Float32, rough.dtype);
        Assert.InRange((rough - exact).abs().mean().item<float>(), 1e-6, 0.05);
    }

    [Fact]
    public void Recipes_NetworksHaveTheWeightsTheyAreKnownBy()
    {
        // wav2vec 2.0 and HuBERT BASE have 94.4 M to 95 M (their tables), all but quantiser and heads.
        using var basis = EncoderFactory.Create(Recipes.Find("wav2vec2-base").Encoder, 1);
        Assert.InRange(basis.ParameterCount, 94_000_000, 95_000_000);
        using var small = EncoderFactory.Create(Recipes.Find("hubert-small").Encoder, 1);
        Assert.InRange(small.ParameterCount, 3_000_000, 3_400_000);
    }

    [Fact]
    public void Context_SomeBlocks_IsWhatTheNextBlockGets()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var encoder = (SoundEncoder)EncoderFactory.Create(Mel, 1);
        var z = encoder.Latents(encoder.Front(rand(1, 16_000), null), null);
        Assert.False(encoder.Context(z, null, 1).eq(encoder.Context(z, null, 2)).all().item<bool>());
        Assert.True(encoder.Context(z, null, 0).eq(z).all().item<bool>());
    }

    [Theory]
    [InlineData("""{"resolution":8000}""", "resolution is 16000")]
    [InlineData("""{"front":"raw"}""", "front is mel or wave")]
    [InlineData("""{"bands":90}""", "'bands', 2 to 80")]
    [InlineData("""{"rate":30}""", "25 or 50 frames a second")]
    [InlineData("""{"kernel":4}""", "'kernel', an odd number")]
    [InlineData("""{"kernel":null,"heads":3}""", "multiple of its heads")]
    [InlineData("""{"depth":0}""", "'depth', 1 to 64")]
    [InlineData("""{"stem":"pooled"}""", "no blocks, stem, input or patch")]
    public void Create_SizesThatDoNotFit_SaysWhy(string changes, string sentence)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(JsonSerializer.Serialize(Mel, LearningJson.Options))!;
        foreach (var (key, value) in System.Text.Json.Nodes.JsonNode.Parse(changes)!.AsObject()) json[key] = value?.DeepClone();
        Assert.Contains(sentence, Assert.Throws<LearningException>(() => EncoderFactory.Create(json.Deserialize<EncoderSpec>(LearningJson.Options)!, 1)).Message);
    }

    [Fact]
    public void Create_AnImageNetworkWithSoundsSettings_SaysSo() =>
        Assert.Contains("belong to encoders of sound", Assert.Throws<LearningException>(() => EncoderFactory.Create(EncoderTests.SmallVit with { Bands = 64 }, 1)).Message);
}
