#!/usr/bin/env dotnet
#:property PublishAot=false
#:project ../src/DomainSsl.Learning

// Makes the encoder that comes with the product from a transcriber:  dotnet run spoken-encoder/pack.cs -- TRANSCRIBER-FOLDER OUT.safetensors
// In half precision: half the bytes.

using DomainSsl.Learning.Transcribing;
using TorchSharp;

using var transcriber = Transcriber.Load(args[0], torch.CPU);
transcriber.SaveEncoder(args[1], torch.ScalarType.Float16);
Console.WriteLine($"{args[1]}: {new FileInfo(args[1]).Length:#,0} bytes, {transcriber.About.Encoder}");
return 0;
